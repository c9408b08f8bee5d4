// The clients of latency_events: one that pings at a steady rate and notes what each answer took, one that fills a
// server as fast as it takes it.
//   latency_client ping --port P [--rate 5000] [--key K]      until its input ends; prints one line
//   latency_client spin --port 0                               for five seconds; prints one line
//   latency_client fill --port P --keys N [--from 0] [--value 32] [--due-at MS [--spread MS]]
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

namespace {

[[noreturn]] void die(const std::string& message) {
  std::fprintf(stderr, "latency_client: %s\n", message.c_str());
  std::exit(EXIT_FAILURE);
}

/// A blocking connection.
class Socket {
 public:
  explicit Socket(int port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) die("cannot connect");
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() { ::close(fd_); }

  void send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) die("the server has gone");
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  std::string_view receive() {
    const ssize_t got = ::recv(fd_, buffer_, sizeof buffer_, 0);
    if (got <= 0) die("the server has gone");
    return {buffer_, static_cast<std::size_t>(got)};
  }

 private:
  int fd_;
  char buffer_[1 << 14];
};

std::string command(std::initializer_list<std::string_view> words) {
  std::string wire = "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string_view word : words) {
    wire += "$" + std::to_string(word.size()) + "\r\n";
    wire += word;
    wire += "\r\n";
  }
  return wire;
}

// --- ping ---

constexpr std::int64_t kSecondNs = 1'000'000'000;

std::int64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * kSecondNs + now.tv_nsec;
}

void sleep_until(std::int64_t ns) {
  const timespec until{ns / kSecondNs, ns % kSecondNs};
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
}

bool input_has_ended() {
  pollfd input{STDIN_FILENO, POLLIN, 0};
  return poll(&input, 1, 0) > 0;
}

/// So that what is measured is the server and not how long this process waits for a processor.
void go_before_others() {
  prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
  const sched_param priority{1};
  if (sched_setscheduler(0, SCHED_FIFO, &priority) != 0) {
    std::fprintf(stderr, "latency_client: no real-time priority; the longest times may be this process's own\n");
  }
}

double percentile_us(const std::vector<std::int64_t>& sorted, double percentile) {
  const auto wanted = static_cast<std::size_t>(percentile / 100 * static_cast<double>(sorted.size()));
  return static_cast<double>(sorted[std::min(wanted, sorted.size() - 1)]) / 1000;
}

/// One request at a time, each at its moment; a moment that passes while an answer is awaited is left out.
void ping(int port, std::int64_t rate, const std::string& key) {
  Socket socket(port);
  const std::string request = command({"GET", key});
  std::vector<std::int64_t> took;
  const std::int64_t interval = kSecondNs / rate;
  go_before_others();
  for (std::int64_t next = now_ns() + interval; !input_has_ended();) {
    sleep_until(next);
    const std::int64_t start = now_ns();
    socket.send(request);
    std::string_view got = socket.receive();
    while (!got.ends_with("\r\n")) got = socket.receive();
    const std::int64_t end = now_ns();
    took.push_back(end - start);
    next += interval;
    if (next < end) next += (end - next) / interval * interval + interval;
  }
  if (took.empty()) die("no time to ping");
  std::ranges::sort(took);
  std::printf("%zu", took.size());
  for (const double percentile : {50.0, 99.0, 99.9, 99.99, 100.0})
    std::printf(" %.1f", percentile_us(took, percentile));
  std::printf("\n");
}

// --- spin ---

/// How long pieces of work of 50 us seem to take on this machine though nothing happens in them: interrupts, and what
/// else of the machine counts as this thread's time.
void spin() {
  constexpr std::int64_t kPieceNs = 50'000;
  std::vector<std::int64_t> took;
  const auto cpu_ns = [] {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * kSecondNs + now.tv_nsec;
  };
  for (const std::int64_t end = now_ns() + 5 * kSecondNs; now_ns() < end;) {
    const std::int64_t start = cpu_ns();
    const std::int64_t piece_end = now_ns() + kPieceNs;
    while (now_ns() < piece_end) {
    }
    took.push_back(cpu_ns() - start);
  }
  std::ranges::sort(took);
  std::printf("%zu", took.size());
  for (const double percentile : {50.0, 99.0, 99.99, 100.0}) std::printf(" %.1f", percentile_us(took, percentile));
  std::printf("\n");
}

// --- fill ---

struct Fill {
  std::uint64_t keys = 0;
  std::uint64_t from = 0;
  std::size_t value = 32;
  std::int64_t due_at = 0;  // Unix time in milliseconds; 0: never
  std::int64_t spread = 1000;
};

constexpr std::size_t kConnections = 8;
constexpr std::size_t kPipeline = 16;

std::string request_of(const Fill& fill, std::uint64_t number, const std::string& value) {
  char key[32];
  std::snprintf(key, sizeof key, "key:%012llu", static_cast<unsigned long long>(number));
  if (fill.due_at == 0) return command({"SET", key, value});
  const auto wait = static_cast<std::int64_t>(number * 0x9e3779b97f4a7c15 >> 33) % fill.spread;
  return command({"SET", key, value, "PXAT", std::to_string(fill.due_at + wait)});
}

/// Waits for so many replies of one line each; returns how many were errors (out of memory, mostly).
std::uint64_t await(Socket& socket, std::size_t replies) {
  std::uint64_t errors = 0;
  bool at_start = true;
  while (replies > 0) {
    for (const char byte : socket.receive()) {
      errors += static_cast<std::uint64_t>(at_start && byte == '-');
      at_start = byte == '\n';
      replies -= static_cast<std::size_t>(at_start);
    }
  }
  return errors;
}

void fill(int port, const Fill& what) {
  const std::string value(what.value, 'v');
  std::vector<std::unique_ptr<Socket>> sockets;
  std::vector<std::size_t> awaited(kConnections, 0);
  for (std::size_t i = 0; i < kConnections; ++i) sockets.push_back(std::make_unique<Socket>(port));
  std::uint64_t next = what.from;
  std::uint64_t errors = 0;
  const std::uint64_t end = what.from + what.keys;
  const std::int64_t start = now_ns();
  while (next < end) {
    for (std::size_t i = 0; i < kConnections; ++i) {
      errors += await(*sockets[i], awaited[i]);
      std::string wire;
      for (awaited[i] = 0; awaited[i] < kPipeline && next < end; ++awaited[i]) wire += request_of(what, next++, value);
      sockets[i]->send(wire);
    }
  }
  for (std::size_t i = 0; i < kConnections; ++i) errors += await(*sockets[i], awaited[i]);
  const double seconds = static_cast<double>(now_ns() - start) / kSecondNs;
  std::printf("%.3f %llu\n", seconds, static_cast<unsigned long long>(errors));
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Clients of latency_events.");
  app.require_subcommand(1);
  int port = 0;
  app.add_option("--port", port)->required();
  std::int64_t rate = 5000;
  std::string key = "ping";
  CLI::App* const pinging =
      app.add_subcommand("ping", "Prints: count p50 p99 p99.9 p99.99 longest, in us.")->fallthrough();
  pinging->add_option("--rate", rate)->check(CLI::Range(1, 100'000));
  pinging->add_option("--key", key);
  CLI::App* const spinning = app.add_subcommand("spin", "Prints: count p50 p99 p99.99 longest, in us.")->fallthrough();
  Fill what;
  CLI::App* const filling = app.add_subcommand("fill", "Prints: seconds, error replies.")->fallthrough();
  filling->add_option("--keys", what.keys)->required();
  filling->add_option("--from", what.from);
  filling->add_option("--value", what.value);
  filling->add_option("--due-at", what.due_at);
  filling->add_option("--spread", what.spread)->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  if (*pinging) {
    ping(port, rate, key);
  } else if (*spinning) {
    spin();
  } else {
    fill(port, what);
  }
}
