#include "server/engine/packed_run.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "server/engine/memory.h"

namespace magpie::engine {
namespace {

constexpr std::size_t kShort = 0x80;         // strings below it have a head of one byte
constexpr std::size_t kMedium = 0x4000;      // and below it of two
constexpr unsigned char kMediumTag = 0x80;
constexpr unsigned char kLongTag = 0xc0;
constexpr unsigned char kIntegerTag = 0xd0;  // plus the number of bytes
constexpr std::size_t kLongHead = 5;
constexpr std::size_t kMinCapacity = 64;
constexpr std::size_t kDoubling = 4096;      // blocks grow by doubling up to here, then by an eighth
constexpr std::size_t kMaxBytes = UINT32_MAX;
static_assert(std::endian::native == std::endian::little);

unsigned char byte_at(const char* at) { return static_cast<unsigned char>(*at); }

std::size_t width_of(std::int64_t number) {
  if (number == static_cast<std::int8_t>(number)) return 1;
  if (number == static_cast<std::int16_t>(number)) return 2;
  return number == static_cast<std::int32_t>(number) ? 4 : 8;
}

std::size_t head_size(std::size_t length) {
  if (length < kShort) return 1;
  return length < kMedium ? 2 : kLongHead;
}

/// Of head and bytes together.
std::size_t body_size(const StringValue& value) {
  if (value.form == StringForm::Integer) return 1 + width_of(value.number);
  return head_size(value.bytes.size()) + value.bytes.size();
}

std::size_t back_size(std::size_t body) { return (static_cast<std::size_t>(std::bit_width(body)) + 6) / 7; }

/// The same from what is encoded, of which so many bytes may be read; 0 if that is not an element or not a whole one.
std::size_t read_body_size(const char* from, std::size_t available) {
  if (available == 0) return 0;
  const unsigned char tag = byte_at(from);
  std::size_t size = 0;
  if (tag < kMediumTag) {
    size = 1 + std::size_t{tag};
  } else if (tag < kLongTag) {
    if (available < 2) return 0;
    size = 2 + ((tag & 0x3fU) << 8 | byte_at(from + 1));
  } else if (tag == kLongTag) {
    if (available < kLongHead) return 0;
    std::uint32_t length = 0;
    std::memcpy(&length, from + 1, sizeof(length));
    size = kLongHead + length;
  } else {
    const unsigned width = tag - unsigned{kIntegerTag};
    if (tag < kIntegerTag || width > 8 || !std::has_single_bit(width)) return 0;
    size = 1 + width;
  }
  return size <= available ? size : 0;
}

StringValue read_value(const char* from, std::size_t body) {
  const unsigned char tag = byte_at(from);
  if (tag < kMediumTag) return StringValue::plain({from + 1, body - 1});
  if (tag < kLongTag) return StringValue::plain({from + 2, body - 2});
  if (tag == kLongTag) return StringValue::plain({from + kLongHead, body - kLongHead});
  const std::size_t width = body - 1;
  std::uint64_t bits = 0;
  std::memcpy(&bits, from + 1, width);
  const auto unused = static_cast<unsigned>(64 - 8 * width);
  return StringValue::integer(static_cast<std::int64_t>(bits << unused) >> unused);
}

char* write_head(char* to, std::size_t length) {
  if (length < kShort) {
    *to = static_cast<char>(length);
    return to + 1;
  }
  if (length < kMedium) {
    to[0] = static_cast<char>(kMediumTag | length >> 8);
    to[1] = static_cast<char>(length & 0xff);
    return to + 2;
  }
  *to = static_cast<char>(kLongTag);
  const auto wide = static_cast<std::uint32_t>(length);
  std::memcpy(to + 1, &wide, sizeof(wide));
  return to + kLongHead;
}

void write_back_size(char* to, std::size_t body) {
  const std::size_t size = back_size(body);
  for (std::size_t i = size; i-- > 0; body >>= 7) to[i] = static_cast<char>((body & 0x7f) | (i > 0 ? 0x80U : 0U));
}

void write_value(char* to, const StringValue& value) {
  const std::size_t body = body_size(value);
  if (value.form == StringForm::Integer) {
    *to = static_cast<char>(kIntegerTag + body - 1);
    std::memcpy(to + 1, &value.number, body - 1);
  } else {
    char* const bytes = write_head(to, value.bytes.size());
    if (!value.bytes.empty()) std::memcpy(bytes, value.bytes.data(), value.bytes.size());
  }
  write_back_size(to + body, body);
}

/// Size of an element in bytes from outside, 0 if it is none or is not encoded as it would be here.
std::size_t check_element(const char* from, std::size_t available) {
  const std::size_t body = read_body_size(from, available);
  if (body == 0) return 0;
  const std::size_t back = back_size(body);
  if (back > available - body || body_size(read_value(from, body)) != body) return 0;
  char expected[8];
  write_back_size(expected, body);
  return std::memcmp(expected, from + body, back) == 0 ? body + back : 0;
}

/// A first block is little larger than what is known to go into it, in steps as the allocator's; one that grows
/// doubles.
std::size_t capacity_for(std::size_t bytes, bool first) {
  if (bytes <= kMinCapacity) return kMinCapacity;
  if (bytes > kDoubling) return first ? bytes : std::min(bytes + bytes / 8, kMaxBytes);
  const std::size_t doubled = std::bit_ceil(bytes);
  const std::size_t step = doubled / 8;
  return first ? (bytes + step - 1) / step * step : doubled;
}

}  // namespace

std::size_t PackedView::offset_of(std::size_t index) const {
  if (index <= count_ / 2) {
    std::size_t offset = 0;
    for (; index > 0; --index) offset = next(offset);
    return offset;
  }
  std::size_t offset = bytes_.size();
  for (; index < count_; ++index) offset = previous(offset);
  return offset;
}

std::size_t PackedView::next(std::size_t offset) const {
  const std::size_t body = read_body_size(bytes_.data() + offset, SIZE_MAX);
  return offset + body + back_size(body);
}

std::size_t PackedView::previous(std::size_t offset) const {
  const char* at = bytes_.data() + offset - 1;
  std::size_t body = byte_at(at) & 0x7fU;
  for (unsigned shift = 7; (byte_at(at) & 0x80U) != 0; shift += 7) body |= std::size_t{byte_at(--at) & 0x7fU} << shift;
  return offset - body - back_size(body);
}

StringValue PackedView::value_at(std::size_t offset) const {
  const char* const at = bytes_.data() + offset;
  return read_value(at, read_body_size(at, SIZE_MAX));
}

PackedRun::~PackedRun() { deallocate(block_); }

void PackedRun::swap(PackedRun& other) noexcept {
  std::swap(block_, other.block_);
  std::swap(capacity_, other.capacity_);
  std::swap(begin_, other.begin_);
  std::swap(end_, other.end_);
  std::swap(count_, other.count_);
}

std::size_t PackedRun::encoded_size(const StringValue& value) {
  const std::size_t body = body_size(value);
  return body + back_size(body);
}

std::optional<PackedRun> PackedRun::decode(ByteView bytes) {
  if (bytes.size() > kMaxBytes / 2) return std::nullopt;
  std::uint32_t count = 0;
  for (std::size_t offset = 0; offset < bytes.size(); ++count) {
    const std::size_t size = check_element(bytes.data() + offset, bytes.size() - offset);
    if (size == 0) return std::nullopt;
    offset += size;
  }
  PackedRun run;
  if (count > 0) std::memcpy(run.splice(0, 0, bytes.size()), bytes.data(), bytes.size());
  run.count_ = count;
  return run;
}

PackedRun::PackedRun(PackedView view) { append(view); }

void PackedRun::replace(std::size_t index, const StringValue& value) {
  const std::size_t offset = view().offset_of(index);
  put(offset, view().next(offset) - offset, value);
  --count_;
  if (capacity_ > kDoubling && end_ - begin_ < capacity_ / 2) *this = copy();  // a large element went
}

void PackedRun::erase(std::size_t first, std::size_t count) {
  const std::size_t from = view().offset_of(first);
  const std::size_t to = count == 1 ? view().next(from) : view().offset_of(first + count);
  splice(from, to - from, 0);
  count_ -= static_cast<std::uint32_t>(count);
}

PackedRun PackedRun::split_off(std::size_t index) {
  PackedRun rest;
  const std::size_t offset = view().offset_of(index);
  const std::size_t size = bytes().size() - offset;
  if (size == 0) return rest;
  std::memcpy(rest.splice(0, 0, size), bytes().data() + offset, size);
  rest.count_ = count_ - static_cast<std::uint32_t>(index);
  splice(offset, size, 0);
  count_ = static_cast<std::uint32_t>(index);
  if (end_ - begin_ < capacity_ / 4 * 3) *this = copy();
  return rest;
}

void PackedRun::append(PackedView other) {
  if (other.count() == 0) return;
  const ByteView added = other.bytes();
  std::memcpy(splice(end_ - begin_, 0, added.size()), added.data(), added.size());
  count_ += static_cast<std::uint32_t>(other.count());
}

void PackedRun::put(std::size_t offset, std::size_t removed, const StringValue& value) {
  write_value(splice(offset, removed, encoded_size(value)), value);
  ++count_;
}

/// Makes room for `added` bytes instead of `removed` ones and returns where; moves the shorter side if it can.
char* PackedRun::splice(std::size_t offset, std::size_t removed, std::size_t added) {
  const std::size_t back = end_ - begin_ - offset - removed;
  if (added <= removed) {
    shrink(offset, back, removed - added);
  } else if (!grow_in_place(offset, back, added - removed)) {
    reallocate(offset, removed, added);
  }
  return block_ + begin_ + offset;
}

void PackedRun::shrink(std::size_t front, std::size_t back, std::size_t bytes) {
  char* const from = block_ + begin_;
  if (front < back) {
    std::memmove(from + bytes, from, front);
    begin_ += static_cast<std::uint32_t>(bytes);
  } else if (bytes > 0) {
    std::memmove(block_ + end_ - back - bytes, block_ + end_ - back, back);
    end_ -= static_cast<std::uint32_t>(bytes);
  }
}

bool PackedRun::grow_in_place(std::size_t front, std::size_t back, std::size_t bytes) {
  const bool fits_back = back_room() >= bytes;
  if (front_room() >= bytes && (front < back || !fits_back)) {
    char* const from = block_ + begin_;
    std::memmove(from - bytes, from, front);
    begin_ -= static_cast<std::uint32_t>(bytes);
    return true;
  }
  if (!fits_back) return false;
  std::memmove(block_ + end_ - back + bytes, block_ + end_ - back, back);
  end_ += static_cast<std::uint32_t>(bytes);
  return true;
}

/// The room goes to the side where the run grows.
void PackedRun::reallocate(std::size_t front, std::size_t removed, std::size_t added) {
  const std::size_t back = end_ - begin_ - front - removed;
  const std::size_t bytes = front + added + back;
  const std::size_t capacity = capacity_for(bytes, block_ == nullptr);
  auto* const block = static_cast<char*>(allocate(capacity));
  const std::size_t begin = front < back ? capacity - bytes : 0;
  if (front > 0) std::memcpy(block + begin, block_ + begin_, front);
  if (back > 0) std::memcpy(block + begin + front + added, block_ + end_ - back, back);
  deallocate(block_);
  block_ = block;
  capacity_ = static_cast<std::uint32_t>(capacity);
  begin_ = static_cast<std::uint32_t>(begin);
  end_ = static_cast<std::uint32_t>(begin + bytes);
}

}  // namespace magpie::engine
