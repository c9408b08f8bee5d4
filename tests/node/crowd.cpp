#include "tests/node/crowd.h"

#include <algorithm>
#include <array>

#include "tests/node/load.h"

namespace magpie::testing {
namespace {

const std::string kLargeReply = bulk(std::string(kLargeValue, 'x'));

std::string many_large(int count) {
  std::string wire;
  for (int i = 0; i < count; ++i) wire += encode({"GET", "large"});
  return wire;
}

/// More large replies than the kernel takes for a connection that does not read: 4 MB.
constexpr int kTooMany = 40;

struct Idle final : Group {
  using Group::Group;
  void begin() override {}
  void end() override {
    for (const Client& client : clients_) client.send("PING\r\n");
    for (Client& client : clients_) expect(client, "+PONG\r\n");
    clients_.clear();
  }
};

/// Every other one sends what is an error for certain, and must be told.
struct Garbage final : Group {
  using Group::Group;
  static constexpr std::size_t kLength = 100'000;
  std::size_t surely_closed() const override { return (clients_.size() + 1) / 2; }
  std::size_t perhaps_closed() const override { return clients_.size(); }
  std::size_t unfinished_bytes() const override { return clients_.size() * kLength; }

  void begin() override {
    static const std::array<std::string, 5> kErrors{"*x\r\n", "*2147483648\r\n", "*1\r\n:1\r\n", "*1\r\n$-5\r\n",
                                                    "*2\r\n$4\r\nECHO\r\n$536870913\r\n"};
    for (std::size_t i = 0; i < clients_.size(); ++i) {
      if (i % 2 == 0) {
        clients_[i].send(kErrors[random_.below(kErrors.size())]);
      } else {
        clients_[i].try_send(random_.bytes(random_.below(kLength)));
      }
    }
  }

  void end() override {
    for (std::size_t i = 0; i < clients_.size(); i += 2) {
      if (const std::string got = clients_[i].reply(); !got.starts_with("-ERR Protocol error"))
        unexpected(got, "an error");
      expect(clients_[i], "");
    }
    clients_.clear();
  }
};

/// They want their replies, some of them more than the kernel takes.
struct HalfClosing final : Group {
  using Group::Group;
  static constexpr std::size_t kFew = 32;
  static bool wants_much(std::size_t client) { return client % kFew == 0; }
  std::size_t held_up() const override { return (clients_.size() + kFew - 1) / kFew; }
  std::size_t surely_closed() const override { return clients_.size() - held_up(); }
  std::size_t keys() const override { return 1; }
  std::size_t counted() const override { return counted_; }

  void begin() override {
    for (std::size_t i = 0; i < clients_.size(); ++i) {
      commands_.push_back(1 + random_.below(50));
      std::string wire;
      for (std::uint64_t command = 0; command < commands_.back(); ++command) wire += "INCR halves\r\nGET halves\r\n";
      if (wants_much(i)) wire += many_large(kTooMany);
      clients_[i].send(wire);
      clients_[i].shut_down_writing();
    }
  }

  void end() override {
    for (std::size_t i = 0; i < clients_.size(); ++i) {
      for (std::uint64_t command = 0; command < commands_[i]; ++command) {
        expect_number(clients_[i]);
        if (!clients_[i].reply().starts_with("$")) throw std::runtime_error("no value of the counter");
        ++counted_;
      }
      for (int large = 0; wants_much(i) && large < kTooMany; ++large) expect(clients_[i], kLargeReply);
      expect(clients_[i], "");
    }
    clients_.clear();
  }

 private:
  std::vector<std::uint64_t> commands_;
  std::size_t counted_ = 0;
};

/// Some of them read on in the end and get everything.
struct NotReading final : Group {
  using Group::Group;
  std::size_t held_up() const override { return clients_.size(); }

  void begin() override {
    for (const Client& client : clients_) client.send(many_large(kTooMany));
  }

  void end() override {
    for (Client& client : clients_) {
      if (random_.one_in(20)) {
        for (int large = 0; large < kTooMany; ++large) expect(client, kLargeReply);
      } else if (random_.one_in(2)) {
        client.reset();
      }
    }
    clients_.clear();
  }
};

/// All are in the middle of a command at the same time.
struct ByteByByte final : Group {
  using Group::Group;
  std::size_t keys() const override { return values_.size(); }

  void begin() override {
    for (std::size_t i = 0; i < clients_.size(); ++i) {
      const std::string key = "slow:" + std::to_string(i);
      values_.push_back(random_.bytes(10));
      wires_.push_back(encode({"SET", key, values_.back()}) + encode({"GET", key}));
      longest_ = std::max(longest_, wires_.back().size());
    }
    send(0, longest_ / 4);
  }

  void end() override {
    send(longest_ / 4, longest_);
    for (std::size_t i = 0; i < clients_.size(); ++i) {
      expect(clients_[i], "+OK\r\n");
      expect(clients_[i], bulk(values_[i]));
    }
    clients_.clear();
  }

 private:
  /// The bytes from .. to of every message, one of each in turn.
  void send(std::size_t from, std::size_t to) {
    for (std::size_t at = from; at < to; ++at) {
      for (std::size_t i = 0; i < clients_.size(); ++i) {
        if (at < wires_[i].size()) clients_[i].send({&wires_[i][at], 1});
      }
    }
  }

  std::vector<std::string> values_;
  std::vector<std::string> wires_;
  std::size_t longest_ = 0;
};

/// Half a command, or half a transaction: nothing of it is to be seen afterwards.
struct Resetting final : Group {
  using Group::Group;
  static constexpr std::size_t kValue = 50'000;
  std::size_t unfinished_bytes() const override { return clients_.size() * kValue; }

  void begin() override {
    for (std::size_t i = 0; i < clients_.size(); ++i) {
      const std::string key = "cut:" + std::to_string(i);
      const std::string set = encode({"SET", key, std::string(kValue, 'x')});
      const std::string wire = random_.one_in(2) ? set : encode({"MULTI"}) + set + encode({"INCR", key + "too"});
      clients_[i].send(std::string_view(wire).substr(0, 1 + random_.below(wire.size() - 1)));
    }
  }

  void end() override {
    for (Client& client : clients_) client.reset();
    clients_.clear();
  }
};

struct ComingAndGoing final : Group {
  using Group::Group;

  void begin() override {
    for (int round = 0; round < 3; ++round) {
      for (Client& client : clients_) {
        leave(client);
        client = Client(node_);
      }
    }
  }

  void end() override {
    begin();
    for (Client& client : clients_) leave(client);
    clients_.clear();
  }

 private:
  /// At once, with or without asking something, with or without waiting for the reply.
  void leave(Client& client) {
    if (random_.one_in(2)) {
      client.send("PING\r\nEXISTS halves\r\n");
      if (random_.one_in(2)) {
        expect(client, "+PONG\r\n");
        expect_number(client);
      }
    }
    if (random_.one_in(2)) {
      client.reset();
    } else {
      client.close();
    }
  }
};

/// Everyone has a pipeline under way at the same time.
struct Pipelining final : Group {
  using Group::Group;
  std::size_t keys() const override { return 2 * size_; }

  void begin() override {
    size_ = clients_.size();
    for (int round = 0; round < 3; ++round) run_pipelines();
  }

  void end() override {
    for (int round = 0; round < 3; ++round) run_pipelines();
    clients_.clear();
  }

 private:
  void run_pipelines() {
    std::vector<std::vector<std::string>> expected(clients_.size());
    for (std::size_t i = 0; i < clients_.size(); ++i) clients_[i].send(pipeline(i, expected[i]));
    for (std::size_t i = 0; i < clients_.size(); ++i) {
      for (const std::string& reply : expected[i]) expect(clients_[i], reply);
    }
  }

  std::string pipeline(std::size_t client, std::vector<std::string>& expected) {
    const std::string key = "pipe:" + std::to_string(client);
    const std::string count = "piped:" + std::to_string(client);
    std::string wire = encode({"SET", count, "0"});
    expected = {"+OK\r\n"};
    for (std::uint64_t i = 1 + random_.below(20), number = 1; number <= i; ++number) {
      const std::string value = random_.bytes(random_.below(random_.one_in(20) ? 5'000 : 100));
      wire += encode({"SET", key, value}) + encode({"INCR", count}) + encode({"MGET", count, "nothing", key});
      const std::string text = std::to_string(number);
      expected.insert(expected.end(),
                      {"+OK\r\n", ":" + text + "\r\n", "*3\r\n" + bulk(text) + "$-1\r\n" + bulk(value)});
    }
    return wire;
  }

  std::size_t size_ = 0;
};

}  // namespace

std::vector<std::unique_ptr<Group>> make_crowd(const TestNode& node, std::size_t connections) {
  const std::size_t share = connections / 8;
  std::vector<std::unique_ptr<Group>> crowd;
  crowd.push_back(std::make_unique<Idle>(node, connections - 7 * share, 1));
  crowd.push_back(std::make_unique<Garbage>(node, share, 2));
  crowd.push_back(std::make_unique<HalfClosing>(node, share, 3, Client::Segments::Small));
  crowd.push_back(std::make_unique<NotReading>(node, share, 4, Client::Segments::Small));
  crowd.push_back(std::make_unique<ByteByByte>(node, share, 5));
  crowd.push_back(std::make_unique<Resetting>(node, share, 6));
  crowd.push_back(std::make_unique<ComingAndGoing>(node, share, 7));
  crowd.push_back(std::make_unique<Pipelining>(node, share, 8));
  return crowd;
}

}  // namespace magpie::testing
