#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "protocol/bytes.h"
#include "server/engine/string_value.h"

namespace magpie::engine {

/// A run's elements where they lie, to be read. Borrowed; the bytes must be what PackedRun::bytes() or decode() gave.
/// Values are returned as Integer or Plain and borrowed too. Indices must be within the run.
class PackedView {
 public:
  PackedView() = default;
  PackedView(ByteView bytes, std::size_t count) : bytes_(bytes), count_(count) {}

  std::size_t count() const { return count_; }
  ByteView bytes() const { return bytes_; }
  StringValue at(std::size_t index) const { return value_at(offset_of(index)); }

  /// Walking: offsets of elements in bytes(), from 0 to bytes().size(), which is no element.
  std::size_t offset_of(std::size_t index) const;
  std::size_t next(std::size_t offset) const;
  std::size_t previous(std::size_t offset) const;
  StringValue value_at(std::size_t offset) const;

 private:
  ByteView bytes_;
  std::size_t count_ = 0;
};

/// A run of elements in one block from allocate(), each with its length in front and behind, so that it is walked from
/// both ends (the idea is Redis's listpack). Takes two bytes more than a string of up to 125 bytes; integers take two
/// to ten bytes. The block has room at both ends: pushing and popping move no other element. One thread at a time.
///
/// An element: a head, its bytes, and the size of both in groups of seven bits, to be read backwards, where the high
/// bit says that there is more. Heads: 0nnnnnnn and 10nnnnnn+1 byte (most significant bits first) and 0xc0+4 bytes
/// (least significant byte first) are the length of a string; 0xd1, 0xd2, 0xd4, 0xd8 an integer of so many bytes.
class PackedRun {
 public:
  PackedRun() = default;
  PackedRun(PackedRun&& other) noexcept { swap(other); }
  PackedRun& operator=(PackedRun&& other) noexcept {
    swap(other);
    return *this;
  }
  PackedRun(const PackedRun&) = delete;
  PackedRun& operator=(const PackedRun&) = delete;
  ~PackedRun();

  /// Bytes an element takes in a run.
  static std::size_t encoded_size(const StringValue& value);
  /// Takes a copy of what bytes() gave, checked in full before it is used; nullopt if it is anything else.
  static std::optional<PackedRun> decode(ByteView bytes);
  /// A copy of a view's elements.
  explicit PackedRun(PackedView view);
  PackedRun copy() const { return PackedRun(view()); }

  /// Valid until the run changes.
  PackedView view() const { return {bytes(), count_}; }

  std::size_t count() const { return count_; }
  bool empty() const { return count_ == 0; }
  /// The encoded elements; valid until the run changes.
  ByteView bytes() const { return {block_ + begin_, end_ - begin_}; }
  std::size_t capacity() const { return capacity_; }
  /// Bytes that can be pushed there without moving anything.
  std::size_t front_room() const { return begin_; }
  std::size_t back_room() const { return capacity_ - end_; }

  /// Values come and go as Integer or Plain. What is given must not lie in this run; what is returned is borrowed until
  /// the run changes. Indices must be within the run.
  void push_front(const StringValue& value) { put(0, 0, value); }
  void push_back(const StringValue& value) { put(end_ - begin_, 0, value); }
  void pop_front() { erase(0, 1); }
  void pop_back() { erase(count_ - 1, 1); }
  StringValue at(std::size_t index) const { return view().at(index); }
  void insert(std::size_t index, const StringValue& value) { put(view().offset_of(index), 0, value); }
  void replace(std::size_t index, const StringValue& value);
  void erase(std::size_t first, std::size_t count);
  /// Takes the elements from `index` on out of this run, whose block shrinks to what stays.
  PackedRun split_off(std::size_t index);
  void append(PackedView other);

 private:
  void swap(PackedRun& other) noexcept;
  void put(std::size_t offset, std::size_t removed, const StringValue& value);
  char* splice(std::size_t offset, std::size_t removed, std::size_t added);
  void shrink(std::size_t front, std::size_t back, std::size_t bytes);
  bool grow_in_place(std::size_t front, std::size_t back, std::size_t bytes);
  void reallocate(std::size_t front, std::size_t removed, std::size_t added);

  char* block_ = nullptr;
  std::uint32_t capacity_ = 0;
  std::uint32_t begin_ = 0;  // of the elements in the block
  std::uint32_t end_ = 0;
  std::uint32_t count_ = 0;
};

}  // namespace magpie::engine
