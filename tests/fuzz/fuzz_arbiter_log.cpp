// The file of an arbiter is refused, or what is read of it makes a file that is read as the same. Checksums are hard to
// guess, so the input is also taken for what frames carry: pieces, each behind its length of two bytes.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "cluster/arbiter/log_format.h"
#include "protocol/wire/frame.h"

namespace {

using magpie::ByteBuffer;
using magpie::ByteView;
using magpie::cluster::LogContents;

void require(bool condition) {
  if (!condition) std::abort();
}

void check_same(ByteView file, const LogContents& contents) {
  const auto read = magpie::cluster::read_log(file);
  require(read.has_value() && read->cluster == contents.cluster && read->torn == 0 && read->bytes == file.size());
  require(read->store.states() == contents.store.states() && read->store.bytes() == contents.store.bytes());
  require(read->store.revision() == contents.store.revision());
}

void check_file(ByteView file) {
  const auto contents = magpie::cluster::read_log(file);
  if (!contents) {
    require(contents.error().offset <= file.size() && !contents.error().what.empty());
    return;
  }
  require(contents->bytes + contents->torn == file.size());
  check_same(file.substr(0, contents->bytes), *contents);
  ByteBuffer again;
  append_snapshot(again, contents->cluster, contents->store);
  check_same(again.view(), *contents);
}

ByteBuffer framed(ByteView pieces) {
  constexpr std::size_t kSizeBytes = 2;
  ByteBuffer file;
  while (pieces.size() >= kSizeBytes) {
    const std::size_t size =
        static_cast<std::uint8_t>(pieces[0]) + (std::size_t{static_cast<std::uint8_t>(pieces[1])} << 8);
    pieces.remove_prefix(kSizeBytes);
    const ByteView piece = pieces.substr(0, size);
    magpie::wire::append_frame(file, piece);
    pieces.remove_prefix(piece.size());
  }
  return file;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(reinterpret_cast<const char*>(data), size);
  check_file(input);
  check_file(framed(input).view());
  return 0;
}
