#pragma once

#include <initializer_list>

#include "protocol/bytes.h"
#include "protocol/wire/messages.h"

namespace magpie::wire {

/// Shows the other side of a link that this one knows the secret, without telling it: HMAC-SHA256 with the secret as
/// its key, over the prover's role ("leader", "follower"; the two sides have different ones, or a proof could be sent
/// back), the nonces of whoever connected and of whoever accepted, in this order, and what else both sides have to
/// agree on. No two different lists of arguments run together into the same bytes. The secret may be empty: then a
/// proof shows nothing. Any thread.
Proof prove(ByteView secret, ByteView role, const Nonce& connector, const Nonce& acceptor,
            std::initializer_list<ByteView> context = {});

/// Takes the same time wherever they differ.
bool same_proof(const Proof& one, const Proof& other);

}  // namespace magpie::wire
