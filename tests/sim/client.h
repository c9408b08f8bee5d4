#pragma once

#include <memory>

#include "tests/sim/history.h"
#include "tests/sim/machine.h"

namespace magpie::sim {

/// A client that writes and reads, one command at a time, wherever it is let.
class Client : public std::enable_shared_from_this<Client> {
 public:
  struct Work {
    History history;
    Value last_value = 0;
    std::size_t done = 0;  // commands that were acknowledged
    std::size_t writes_done = 0;
    TrueTime last_done;
  };
  Client(Surroundings& around, Work& work, std::size_t nodes)
      : around_(&around), work_(&work), nodes_(nodes), random_(around.random.fork()), place_(random_.below(nodes)) {}

  void run();
  void stop() { stopped_ = true; }

 private:
  Operation next_operation();
  void attempt();
  void told(std::uint64_t attempt, const Reply& reply);
  void finish(const Reply& reply);

  Surroundings* around_;
  Work* work_;
  std::size_t nodes_;
  Random random_;
  Place place_;
  bool stopped_ = false;
  Operation operation_;
  std::size_t call_ = 0;
  std::uint64_t attempt_ = 0;
  int refused_ = 0;
};

}  // namespace magpie::sim
