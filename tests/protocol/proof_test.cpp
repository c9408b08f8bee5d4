#include "protocol/wire/proof.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using magpie::wire::Nonce;
using magpie::wire::Proof;
using magpie::wire::prove;
using magpie::wire::same_proof;

namespace {

constexpr Nonce kFirst{1, 2, 3};
constexpr Nonce kSecond{4, 5, 6};

std::string hex(const Proof& proof) {
  constexpr const char* kDigits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : proof) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

}  // namespace

TEST_CASE("proof: HMAC-SHA256 over role, nonces and context, each behind its length") {
  // python3: hmac.new(b"secret", b"\x06leader" + b"\x10" + first + b"\x10" + second + b"\x01c", "sha256")
  CHECK(hex(prove("secret", "leader", kFirst, kSecond, {"c"})) ==
        "26322ac611970c5496489a9db5adfe392f9bafe390ebea84625510210da47d76");
}

TEST_CASE("proof: another one for whatever differs") {
  const std::vector<Proof> proofs{
      prove("secret", "leader", kFirst, kSecond),
      prove("Secret", "leader", kFirst, kSecond),
      prove("", "leader", kFirst, kSecond),
      prove("secret", "follower", kFirst, kSecond),
      prove("secret", "leader", kSecond, kFirst),
      prove("secret", "leader", kFirst, kFirst),
      prove("secret", "leader", kFirst, kSecond, {""}),
      prove("secret", "leader", kFirst, kSecond, {"ab"}),
      prove("secret", "leader", kFirst, kSecond, {"a", "b"}),
      prove("secret", "leader", kFirst, kSecond, {"", "ab"}),
  };
  for (std::size_t i = 0; i < proofs.size(); ++i) {
    for (std::size_t j = 0; j < proofs.size(); ++j) CHECK(same_proof(proofs[i], proofs[j]) == (i == j));
  }
}

TEST_CASE("proof: no secret is an empty one") {
  CHECK(same_proof(prove({}, "leader", kFirst, kSecond), prove("", "leader", kFirst, kSecond)));
}

TEST_CASE("proof: one bit is a difference, wherever it is") {
  const Proof proof = prove("secret", "leader", kFirst, kSecond);
  for (std::size_t bit = 0; bit < proof.size() * 8; ++bit) {
    Proof other = proof;
    other[bit / 8] = static_cast<std::uint8_t>(other[bit / 8] ^ 1U << bit % 8);
    CHECK_FALSE(same_proof(proof, other));
  }
}
