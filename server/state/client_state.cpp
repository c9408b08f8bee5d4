#include "server/state/client_state.h"

namespace magpie::server {

void QueuedCommand::arguments(std::vector<ByteView>& views) const {
  views.clear();
  std::size_t at = 0;
  for (const std::uint32_t size : sizes) {
    views.emplace_back(bytes.data() + at, size);
    at += size;
  }
}

void ClientState::publish_flags() {
  std::uint32_t bits = 0;
  const auto set = [&bits](bool on, ClientFlag flag) {
    if (on) bits |= static_cast<std::uint32_t>(flag);
  };
  set(transaction.open, ClientFlag::Multi);
  set(blocked.has_value(), ClientFlag::Blocked);
  set(monitoring, ClientFlag::Monitor);
  set(ending != Ending::None, ClientFlag::CloseAfterReply);
  set(readonly, ClientFlag::ReadOnly);
  set(no_evict, ClientFlag::NoEvict);
  set(no_touch, ClientFlag::NoTouch);
  flags = bits;
  shared_resp = static_cast<std::uint8_t>(resp);
}

}  // namespace magpie::server
