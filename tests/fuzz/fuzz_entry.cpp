// Entries that are made, changed where they stand, replaced, moved and freed agree with a plain model of them.
//
// An input is a script of steps: a byte that says what to do, one that says to which of eight entries, and what the
// step needs beyond that. An entry lies in a heap or, so that the sanitizers see a step beyond, in memory of just its
// size.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/engine/entry_heap.h"
#include "server/engine/memory.h"
#include "tests/fuzz/entry_model.h"

namespace {

using namespace magpie::engine;  // NOLINT(google-build-using-namespace): one file about one namespace
using magpie::ByteView;
using magpie::Instant;
using magpie::testing::Given;
using magpie::testing::is_near;
using magpie::testing::kShortLength;
using magpie::testing::ModelEntry;
using magpie::testing::ModelValue;
using magpie::testing::Script;

void require(bool condition) {
  if (!condition) std::abort();
}

struct Slot {
  Entry* entry = nullptr;  // none: the slot is empty
  bool in_heap = false;
  Handle handle{};
  std::unique_ptr<char[]> memory;  // if it is not in the heap
  std::size_t written_size = 0;
  ModelEntry model = {};
};

void check_list(const Entry& entry, const std::vector<std::string>& elements) {
  const ListView list = entry.list();
  require(list.size() == elements.size());
  std::size_t index = 0;
  for (ListView::Cursor at(list, 0); at.valid(); at.next()) {
    IntegerScratch scratch;
    require(text_of(at.value(), scratch) == elements[index++]);
  }
  require(index == elements.size());
}

void check_value(Entry& entry, const ModelValue& model) {
  require(entry.type() == (model.is_list() ? ValueType::List : ValueType::String));
  require(entry.value().form == model.form);
  require(entry.has_object() == (model.form == ValueForm::Object));
  require((entry.large_list() != nullptr) == entry.has_object());
  require((entry.object_memory() > 0) == entry.has_object());
  if (model.is_list()) return check_list(entry, model.elements);
  const StringValue string = entry.string();
  require(static_cast<ValueForm>(string.form) == model.form);
  require(string.number == model.number && string.bytes == model.text);
  require(string.block == (entry.in_own_block() && model.form != ValueForm::Integer ? &entry : nullptr));
}

void check_expiry(const Entry& entry, std::optional<Instant> expiry) {
  require(entry.expiry() == expiry && entry.has_expiry() == expiry.has_value());
  if (!expiry) return require(!entry.expired({std::numeric_limits<std::int64_t>::max()}));
  require(!entry.expired(*expiry));
  if (expiry->ms < std::numeric_limits<std::int64_t>::max()) require(entry.expired({expiry->ms + 1}));
}

class Session {
 public:
  explicit Session(Script script) : script_(script) {}
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() {
    for (Slot& slot : slots_) drop(slot);
    require(heap_.memory() == 0);
  }

  void run() {
    constexpr unsigned kStepsPerCheck = 16;  // of all entries; each step's own is looked at after each
    for (unsigned steps = 1; !script_.done(); ++steps) {
      step();
      if (steps % kStepsPerCheck == 0) check_all();
    }
    check_all();
  }

 private:
  void step() {
    const unsigned kind = script_.byte();
    Slot& slot = slots_[script_.byte() % slots_.size()];
    change(slot, kind);
    if (slot.entry != nullptr) check(slot);
  }
  void change(Slot& slot, unsigned kind) {
    if (slot.entry == nullptr) return make_new(slot);
    switch (kind % 10) {
      case 0:
        return drop(slot);
      case 1:
        return make_new(slot);
      case 2:
      case 3:
        return assign(slot);
      case 4:
        return set_expiry(slot);
      case 5:
      case 6:
        return overwrite(slot);
      case 7:
        return edit_list(slot);
      case 8:
        return copy(slot, slots_[script_.byte() % slots_.size()]);
      default:
        return script_.byte() < 250 ? move(slot) : clear_heap();
    }
  }

  // --- where entries lie ---

  /// Puts an entry into the slot in place of the one that is there, of which the content may borrow.
  void put(Slot& slot, const EntryContent& content, ModelEntry model, bool in_heap) {
    model.room = content.room;
    model.lay_out();
    Slot made;
    made.in_heap = in_heap;
    made.written_size = Entry::size_of(content);
    require(made.written_size == model.written_size());
    made.model = std::move(model);
    if (in_heap) {
      made.handle = heap_.make(content);
      made.entry = heap_.at(made.handle);
    } else {
      EntryContent owned = content;
      if (content.value.list != nullptr) owned.value.list = copy_list(*content.value.list);
      made.memory = std::make_unique<char[]>(made.written_size);
      made.entry = Entry::write(made.memory.get(), owned);
    }
    drop(slot);
    slot = std::move(made);
  }
  void drop(Slot& slot) {
    if (slot.entry != nullptr && slot.in_heap) {
      heap_.free(slot.handle);
    } else if (slot.entry != nullptr) {
      slot.entry->release_object();
    }
    slot = {};
  }
  void move(Slot& slot) {
    if (slot.in_heap) {
      slot.handle = heap_.move(slot.handle);
      slot.entry = heap_.at(slot.handle);
      return;
    }
    auto memory = std::make_unique<char[]>(slot.written_size);
    std::memcpy(memory.get(), slot.memory.get(), slot.written_size);
    slot.memory = std::move(memory);
    slot.entry = reinterpret_cast<Entry*>(slot.memory.get());
  }
  static std::size_t capacity(const Slot& slot) {
    return slot.in_heap ? EntryHeap::capacity(*slot.entry) : slot.written_size;
  }
  /// Frees all entries of the heap as if nobody knew their handles any more.
  void clear_heap() {
    std::size_t entries = 0;
    for (Slot& slot : slots_) {
      if (!slot.in_heap) continue;
      ++entries;
      slot = {};
    }
    const std::size_t limit = 1 + script_.byte();
    std::size_t freed = 0;
    while (const std::size_t some = heap_.free_some(limit)) freed += some;
    require(freed == entries && heap_.memory() == 0);
    heap_.reset();
  }

  // --- changes, refused or not as the model foresees; what is refused makes another entry ---

  void make_new(Slot& slot) {
    ModelEntry model{script_.text(), value_from(script_), script_.expiry()};
    const unsigned choice = script_.byte();
    const std::size_t room = choice % 4 == 0 ? script_.size() : 0;
    const Given given(model.value);
    put(slot, {model.key, given.value(), model.expiry, room}, model, choice % 2 == 0);
  }

  void assign(Slot& slot) {
    ModelEntry model = slot.model;
    model.value = value_from(script_);
    const Given given(model.value);
    const ValueForm before = slot.model.value.form;
    const bool fits = before != ValueForm::Object && model.value.form != ValueForm::Object &&
                      slot.model.value.stored_size() == model.value.stored_size();
    require(slot.entry->assign_in_place(given.value()) == fits);
    if (fits) {
      slot.model.value = model.value;
      if (!model.value.is_list()) require(slot.entry->assign_in_place(slot.entry->value()));  // its own bytes
    } else {
      check(slot);
      put(slot, {slot.entry->key(), given.value(), slot.entry->expiry()}, model, slot.in_heap);
    }
  }

  void set_expiry(Slot& slot) {
    ModelEntry model = slot.model;
    model.expiry = script_.expiry();
    const bool fits = slot.model.expiry.has_value() == model.expiry.has_value() &&
                      (!model.expiry || slot.model.wide_expiry || is_near(*model.expiry));
    require(slot.entry->set_expiry_in_place(model.expiry) == fits);
    if (fits) {
      slot.model.expiry = model.expiry;
    } else {
      check(slot);
      put(slot, {slot.entry->key(), slot.entry->value(), model.expiry}, model, slot.in_heap);
    }
  }

  void overwrite(Slot& slot) {
    const ModelValue& before = slot.model.value;
    if (before.is_list() || before.form == ValueForm::Integer) return;
    const std::size_t offset = script_.size();
    std::string text;
    ByteView bytes;
    if (script_.byte() % 4 == 0) {  // some of its own
      const ByteView own = slot.entry->string().bytes;
      const std::size_t from = std::min(script_.size(), own.size());
      bytes = own.substr(from, script_.size());
      text = bytes;
    } else {
      text = script_.text();
      bytes = text;
    }
    const std::size_t end = offset + text.size();
    const std::size_t slack = script_.byte();  // of another entry, if it takes one
    ModelEntry model = slot.model;
    model.value.form = ValueForm::Raw;
    if (model.value.text.size() < end) model.value.text.resize(end);
    model.value.text.replace(offset, text.size(), text);
    const bool fits = end <= before.text.size() ||
                      (model.value_at() + end <= capacity(slot) && (end <= kShortLength || model.long_value));
    require(slot.entry->overwrite_in_place(offset, bytes, capacity(slot)) == fits);
    if (!fits) {
      check(slot);
      const StringValue old = StringValue::raw(slot.entry->string().bytes);
      put(slot, {slot.entry->key(), old, slot.entry->expiry(), end + slack}, slot.model, slot.in_heap);
      require(slot.entry->overwrite_in_place(offset, text, slot.written_size));
    }
    slot.model.value = std::move(model.value);
  }

  /// Changes a list that is an object.
  void edit_list(Slot& slot) {
    List* const list = slot.entry->large_list();
    if (list == nullptr) return;
    std::vector<std::string>& elements = slot.model.value.elements;
    const unsigned choice = script_.byte();
    const std::size_t index = script_.byte() % elements.size();
    const auto at = elements.begin() + static_cast<std::ptrdiff_t>(index);
    const std::string element = script_.text(script_.byte());
    if (choice % 3 == 0) {
      list->set(index, element);
      *at = element;
    } else if (choice % 3 == 1 || elements.size() == 1) {
      list->insert(index, element);
      elements.insert(at, element);
    } else {
      list->erase(index, 1);
      elements.erase(at);
    }
  }

  /// A new entry with the value and the expiry of another one, from which it borrows.
  void copy(Slot& slot, const Slot& from) {
    if (from.entry == nullptr) return;
    ModelEntry model = from.model;
    model.key = script_.text();
    put(slot, {model.key, from.entry->value(), from.entry->expiry()}, model, script_.byte() % 2 == 0);
  }

  // --- checks ---

  void check(const Slot& slot) const {
    Entry& entry = *slot.entry;
    require(entry.key() == slot.model.key);
    require(entry.size() == slot.model.size());
    require(*reinterpret_cast<const unsigned char*>(&entry) < Entry::kNoEntry);
    check_value(entry, slot.model.value);
    check_expiry(entry, slot.model.expiry);
    require(entry.in_own_block() == (slot.in_heap && slot.written_size > Arena::kLargest));
    if (!slot.in_heap) return;
    require(heap_.at(slot.handle) == &entry);
    require(EntryHeap::has_expiry(slot.handle) == entry.has_expiry());
    require(EntryHeap::capacity(entry) >= entry.size());
  }
  void check_all() const {
    std::size_t memory = 0;
    for (const Slot& slot : slots_) {
      if (slot.entry == nullptr) continue;
      check(slot);
      if (slot.in_heap) memory += EntryHeap::memory(*slot.entry);
    }
    require(heap_.memory() >= memory);
  }

  Script script_;
  EntryHeap heap_;
  std::array<Slot, 8> slots_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::int64_t before = used_memory();
  Session(Script(data, size)).run();
  while (List::free_some(SIZE_MAX) > 0) {
  }
  require(used_memory() == before);
  return 0;
}
