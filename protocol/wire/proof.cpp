#include "protocol/wire/proof.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <string>

#include "protocol/check.h"
#include "protocol/varint.h"

namespace magpie::wire {
namespace {

void add(std::string& to, ByteView part) {
  std::array<char, kMostVarintBytes> size;
  to.append(size.data(), put_varint(size.data(), part.size()));
  to.append(part);
}

ByteView view(const Nonce& nonce) { return {reinterpret_cast<const char*>(nonce.data()), nonce.size()}; }

}  // namespace

Proof prove(ByteView secret, ByteView role, const Nonce& connector, const Nonce& acceptor,
            std::initializer_list<ByteView> context) {
  std::string message;
  add(message, role);
  add(message, view(connector));
  add(message, view(acceptor));
  for (const ByteView part : context) add(message, part);
  if (secret.data() == nullptr) secret = "";  // which libcrypto would take for none at all
  Proof proof{};
  unsigned size = 0;
  const auto* const bytes = reinterpret_cast<const unsigned char*>(message.data());
  const auto* const done =
      HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), bytes, message.size(), proof.data(), &size);
  CHECK(done != nullptr && size == proof.size());
  return proof;
}

bool same_proof(const Proof& one, const Proof& other) {
  return CRYPTO_memcmp(one.data(), other.data(), one.size()) == 0;
}

}  // namespace magpie::wire
