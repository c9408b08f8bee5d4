#include "server/arbiter/handshake.h"

#include <algorithm>
#include <cstring>
#include <random>

#include "protocol/wire/proof.h"

namespace magpie::arbiter {
namespace {

using wire::Nonce;
using wire::Proof;
using wire::arbiter::Hello;
using wire::arbiter::Login;
using wire::arbiter::Refusal;
using wire::arbiter::RefusalCode;
using wire::arbiter::Welcome;

Proof proof_of_arbiter(const Identity& identity, const Nonce& node, const Nonce& arbiter, std::uint32_t version) {
  return wire::prove(identity.secret, "arbiter", node, arbiter, {identity.cluster, std::to_string(version)});
}

Proof proof_of_node(const Identity& identity, const Nonce& node, const Nonce& arbiter, std::uint64_t highest_term) {
  return wire::prove(identity.secret, "arbiter client", node, arbiter,
                     {identity.cluster, std::to_string(highest_term)});
}

}  // namespace

Nonce draw_nonce() {
  std::random_device random;  // of the kernel's
  Nonce nonce{};
  for (std::size_t at = 0; at < nonce.size(); at += sizeof(unsigned)) {
    const unsigned number = random();
    std::memcpy(nonce.data() + at, &number, sizeof number);
  }
  return nonce;
}

std::expected<Welcome, Refusal> ArbiterHandshake::greet(const Hello& hello) {
  if (hello.oldest_version > kNewestVersion || hello.newest_version < kOldestVersion) {
    return std::unexpected(Refusal{RefusalCode::Version, "this arbiter speaks versions " +
                                                             std::to_string(kOldestVersion) + " to " +
                                                             std::to_string(kNewestVersion) + " of its protocol"});
  }
  if (hello.cluster != identity_.cluster) {
    return std::unexpected(Refusal{RefusalCode::Cluster, "this is the arbiter of the cluster '" + identity_.cluster +
                                                             "', not of '" + hello.cluster + "'"});
  }
  version_ = std::min(hello.newest_version, kNewestVersion);
  node_nonce_ = hello.nonce;
  return Welcome{version_, nonce_, proof_of_arbiter(identity_, node_nonce_, nonce_, version_)};
}

std::expected<void, Refusal> ArbiterHandshake::check(const Login& login) const {
  if (wire::same_proof(login.proof, proof_of_node(identity_, node_nonce_, nonce_, login.highest_term))) return {};
  return std::unexpected(Refusal{RefusalCode::Secret, "the node has another secret than this arbiter"});
}

Hello NodeHandshake::hello(const std::string& node) const {
  return {kOldestVersion, kNewestVersion, identity_.cluster, node, nonce_};
}

std::expected<Login, std::string> NodeHandshake::log_in(const Welcome& welcome, std::uint64_t highest_term) const {
  if (welcome.version < kOldestVersion || welcome.version > kNewestVersion) {
    return std::unexpected("the arbiter speaks version " + std::to_string(welcome.version) + " of its protocol");
  }
  if (!wire::same_proof(welcome.proof, proof_of_arbiter(identity_, nonce_, welcome.nonce, welcome.version))) {
    return std::unexpected("the arbiter has another secret than this node");
  }
  return Login{proof_of_node(identity_, nonce_, welcome.nonce, highest_term), highest_term};
}

}  // namespace magpie::arbiter
