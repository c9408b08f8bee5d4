#include "server/arbiter/convert.h"

#include <cstddef>
#include <utility>

#include "server/arbiter/limits.h"

namespace magpie::arbiter {
namespace {

using cluster::ArbiterEntry;
using cluster::Revision;
using cluster::Transaction;

template <class To, class From, class Convert>
std::vector<To> convert_all(std::vector<From>&& from, Convert convert) {
  std::vector<To> to;
  to.reserve(from.size());
  for (From& one : from) to.push_back(convert(std::move(one)));
  return to;
}

wire::arbiter::Write write_to_wire(Transaction::Write write) { return {std::move(write.key), std::move(write.value)}; }

std::size_t bytes_of(const wire::arbiter::Entry& entry) { return entry.key.size() + entry.value.size(); }
std::size_t bytes_of(const wire::arbiter::Write& write) {
  return write.key.size() + (write.value ? write.value->size() : 0);
}

/// Copies of `empty` with the items dealt out to the lists, as many to each as go into a part.
template <class Message, class Item>
std::vector<Message> in_parts(const Message& empty, std::vector<Item> Message::* list, std::vector<Item> items) {
  constexpr std::size_t kItemOverhead = 32;
  std::vector<Message> parts{empty};
  std::size_t bytes = 0;
  for (Item& item : items) {
    if (bytes > kPartBytes) {
      parts.back().more = true;
      parts.push_back(empty);
      bytes = 0;
    }
    bytes += bytes_of(item) + kItemOverhead;
    (parts.back().*list).push_back(std::move(item));
  }
  return parts;
}

}  // namespace

wire::arbiter::Transact to_wire(std::uint64_t id, Transaction transaction) {
  return {id,
          convert_all<wire::arbiter::Compare>(std::move(transaction.compares),
                                              [](Transaction::Compare compare) {
                                                return wire::arbiter::Compare{std::move(compare.key),
                                                                              compare.changed.number};
                                              }),
          convert_all<wire::arbiter::Write>(std::move(transaction.writes), write_to_wire),
          std::move(transaction.reads)};
}

std::vector<wire::arbiter::Answer> to_wire(std::uint64_t id, cluster::TransactionResult result) {
  const wire::arbiter::Answer empty{.id = id, .succeeded = result.succeeded, .revision = result.revision.number};
  return in_parts(empty, &wire::arbiter::Answer::entries,
                  convert_all<wire::arbiter::Entry>(std::move(result.entries), [](ArbiterEntry entry) {
                    return wire::arbiter::Entry{std::move(entry.key), std::move(entry.value), entry.changed.number};
                  }));
}

std::vector<wire::arbiter::Changed> to_wire(std::uint64_t id, cluster::Arbiter::Change change) {
  const wire::arbiter::Changed empty{.id = id, .revision = change.revision.number};
  return in_parts(empty, &wire::arbiter::Changed::writes,
                  convert_all<wire::arbiter::Write>(std::move(change.writes), write_to_wire));
}

Transaction from_wire(wire::arbiter::Transact transact) {
  return {convert_all<Transaction::Compare>(std::move(transact.compares),
                                            [](wire::arbiter::Compare compare) {
                                              return Transaction::Compare{std::move(compare.key),
                                                                          Revision{compare.changed}};
                                            }),
          from_wire(std::move(transact.writes)), std::move(transact.reads)};
}

std::vector<ArbiterEntry> from_wire(std::vector<wire::arbiter::Entry> entries) {
  return convert_all<ArbiterEntry>(std::move(entries), [](wire::arbiter::Entry entry) {
    return ArbiterEntry{std::move(entry.key), std::move(entry.value), Revision{entry.changed}};
  });
}

std::vector<Transaction::Write> from_wire(std::vector<wire::arbiter::Write> writes) {
  return convert_all<Transaction::Write>(std::move(writes), [](wire::arbiter::Write write) {
    return Transaction::Write{std::move(write.key), std::move(write.value)};
  });
}

}  // namespace magpie::arbiter
