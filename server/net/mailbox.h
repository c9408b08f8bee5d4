#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

#include "server/net/loop.h"

namespace magpie::net {

/// The tasks posted to a loop: many producers, one consumer, lock-free; a stack that the consumer takes whole and turns
/// round. That the consumer sleeps is a value of the same word as the list ("asleep" stands for the empty list), so one
/// read-modify-write both adds a task and learns whether to wake: no wakeup is lost, and each sleep is ended once.
class Mailbox {
 public:
  Mailbox() = default;
  ~Mailbox() { drop_all(); }
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  /// Any thread. True: the consumer was asleep and it is up to this caller to wake it.
  [[nodiscard]] bool push(Loop::Task task) {
    Node* node = new Node{nullptr, std::move(task)};
    Node* seen = head_.load(std::memory_order_relaxed);
    do {
      node->next = seen == &asleep_ ? nullptr : seen;
    } while (!head_.compare_exchange_weak(seen, node, std::memory_order_acq_rel, std::memory_order_relaxed));
    return seen == &asleep_;
  }

  /// Consumer: runs what is there now, in order of posting. What these tasks post waits for the next call.
  void run_all() {
    Node* list = take_all();
    while (list != nullptr) {
      std::unique_ptr<Node> node(list);
      list = node->next;
      node->task();
    }
  }
  /// Consumer: drops all tasks, also those posted by the destructors of dropped ones.
  void drop_all() {
    while (Node* list = take_all()) destroy(list);
  }
  /// Consumer: from here on the first push() has to wake it. False if there are tasks: do not sleep.
  [[nodiscard]] bool try_sleep() {
    Node* none = nullptr;
    return head_.compare_exchange_strong(none, &asleep_, std::memory_order_acq_rel, std::memory_order_relaxed);
  }
  /// Consumer: it is awake and will look here again before it sleeps.
  void wake() {
    Node* asleep = &asleep_;
    if (head_.load(std::memory_order_relaxed) != asleep) return;
    // Failing means that a task came meanwhile, and with it the same state.
    head_.compare_exchange_strong(asleep, nullptr, std::memory_order_acq_rel, std::memory_order_relaxed);
  }

 private:
  struct Node {
    Node* next = nullptr;
    Loop::Task task;
  };
  static constexpr std::size_t kCacheLine = 64;

  /// The list in order of posting, nullptr if there is none.
  Node* take_all() {
    if (head_.load(std::memory_order_relaxed) == nullptr) return nullptr;
    Node* newest = head_.exchange(nullptr, std::memory_order_acq_rel);
    if (newest == &asleep_) return nullptr;
    Node* oldest = nullptr;
    while (newest != nullptr) {
      Node* next = std::exchange(newest->next, oldest);
      oldest = std::exchange(newest, next);
    }
    return oldest;
  }
  static void destroy(Node* list) {
    while (list != nullptr) delete std::exchange(list, list->next);
  }

  Node asleep_;  // only its address is used
  alignas(kCacheLine) std::atomic<Node*> head_ = nullptr;
};

}  // namespace magpie::net
