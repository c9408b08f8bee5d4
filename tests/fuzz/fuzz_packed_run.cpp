// Bytes from outside are refused, or they are a run that reads the same from both ends, encodes to the same bytes when
// its elements are pushed at either end, and can be changed.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "server/engine/packed_run.h"

namespace {

using magpie::ByteView;
using magpie::engine::PackedRun;

void require(bool condition) {
  if (!condition) std::abort();
}

void check_rebuilt(const PackedRun& run, ByteView input) {
  PackedRun by_back;
  PackedRun by_front;
  std::size_t offset = 0;
  for (; offset < input.size(); offset = run.view().next(offset)) by_back.push_back(run.view().value_at(offset));
  require(offset == input.size());
  while (offset > 0) {
    offset = run.view().previous(offset);
    by_front.push_front(run.view().value_at(offset));
  }
  require(by_back.bytes() == input && by_back.count() == run.count());
  require(by_front.bytes() == input && by_front.count() == run.count());
}

void check_changed(PackedRun& run, std::size_t choice) {
  const std::size_t count = run.count();
  const std::size_t index = choice % (count + 1);
  PackedRun rest = run.split_off(index);
  require(run.count() == index && rest.count() == count - index);
  if (!rest.empty()) rest.replace(0, magpie::engine::StringValue::plain("replaced"));
  run.append(rest.view());
  run.insert(index, magpie::engine::StringValue::integer(static_cast<std::int64_t>(choice)));
  require(PackedRun::decode(run.bytes()).has_value());
  run.erase(index, run.count() - index);
  require(run.count() == index);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(reinterpret_cast<const char*>(data), size);
  auto run = PackedRun::decode(input);
  if (!run) return 0;
  require(run->bytes() == input);
  check_rebuilt(*run, input);
  check_changed(*run, size > 0 ? size * 31 + data[0] : 0);
  return 0;
}
