#include "server/config/areas.h"
#include "server/config/no_effect.h"

namespace magpie::config {
namespace {

constexpr ByteView kClientAuthNames[] = {"no", "yes", "optional"};
constexpr ByteView kNoTls = "there is no TLS; put a proxy in front that ends it";
constexpr ByteView kWouldBePlain = "there is no TLS: clients would be refused, or speak in the clear on another port";

const Option kOptions[] = {
    refused("tls-port", Integer{0, 65535}, "0", kWouldBePlain),
    no_effect("tls-cert-file", Text{}, "", kNoTls),
    no_effect("tls-key-file", Text{}, "", kNoTls),
    no_effect("tls-key-file-pass", Text{}, "", kNoTls),
    no_effect("tls-client-cert-file", Text{}, "", kNoTls),
    no_effect("tls-client-key-file", Text{}, "", kNoTls),
    no_effect("tls-client-key-file-pass", Text{}, "", kNoTls),
    no_effect("tls-dh-params-file", Text{}, "", kNoTls),
    no_effect("tls-ca-cert-file", Text{}, "", kNoTls),
    no_effect("tls-ca-cert-dir", Text{}, "", kNoTls),
    no_effect("tls-auth-clients", Choice{kClientAuthNames}, "yes", kNoTls),
    no_effect("tls-replication", Boolean{}, "no", kNoTls),
    no_effect("tls-cluster", Boolean{}, "no", kNoTls),
    no_effect("tls-protocols", Text{}, "", kNoTls),
    no_effect("tls-ciphers", Text{}, "", kNoTls),
    no_effect("tls-ciphersuites", Text{}, "", kNoTls),
    no_effect("tls-prefer-server-ciphers", Boolean{}, "no", kNoTls),
    no_effect("tls-session-caching", Boolean{}, "yes", kNoTls),
    no_effect("tls-session-cache-size", Integer{}, "20480", kNoTls),
    no_effect("tls-session-cache-timeout", Integer{}, "300", kNoTls),
};

}  // namespace

std::span<const Option> tls_options() { return kOptions; }

}  // namespace magpie::config
