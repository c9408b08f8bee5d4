#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "protocol/bytes.h"
#include "protocol/reply_writer.h"

namespace magpie::commands {

/// Keys copied from under the lock of their stripe, on their way into a reply.
class CopiedKeys {
 public:
  std::size_t size() const { return sizes_.size(); }
  void add(ByteView key) {
    bytes_ += key;
    sizes_.push_back(key.size());
  }
  void write_to(resp::ReplyWriter& reply) const {
    reply.array(sizes_.size());
    std::size_t at = 0;
    for (const std::size_t size : sizes_) {
      reply.bulk(ByteView(bytes_).substr(at, size));
      at += size;
    }
  }

 private:
  std::string bytes_;
  std::vector<std::size_t> sizes_;
};

}  // namespace magpie::commands
