#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "protocol/bytes.h"
#include "server/config/load.h"
#include "server/config/settings.h"

namespace magpie::config {

/// The settings in force, behind CONFIG GET, SET and REWRITE. One per server; owns the settings.
///
/// Any thread may call any member. Readers poll generation() (one atomic load, cheap enough for every burst) and
/// fetch current() when it moved. A snapshot never changes and may be kept as long as wished.
class ConfigStore {
 public:
  explicit ConfigStore(Settings settings, std::string config_file = {}, SourceReader reader = read_sources);
  ConfigStore(const ConfigStore&) = delete;
  ConfigStore& operator=(const ConfigStore&) = delete;

  std::shared_ptr<const Settings> current() const;
  /// Grows with each change. A reader that sees a new generation gets settings at least as new from current().
  std::uint64_t generation() const { return generation_.load(std::memory_order_acquire); }

  /// A client from elsewhere or from this machine; or a command of its own (REPLICAOF), which may change what CONFIG
  /// SET may not.
  enum class Caller : std::uint8_t { Remote, Local, Command };
  using Pairs = std::span<const std::pair<ByteView, ByteView>>;

  /// CONFIG SET: all pairs or none. The error is Redis's whole text, with "ERR ". Callbacks run on this thread.
  /// `caller` matters to protected options (enable-protected-configs local).
  std::expected<void, std::string> set(Pairs pairs, Caller caller = Caller::Remote);

  /// CONFIG GET: each name and value once, by patterns (glob, in any case).
  std::vector<std::pair<std::string, std::string>> get(std::span<const ByteView> patterns) const;

  /// CONFIG REWRITE: the file then says what is in force. The error is a whole text, with "ERR ".
  std::expected<void, std::string> rewrite();

  /// Why a change cannot be: the option that is to blame (a name of the table) and the text for the client.
  struct Veto {
    ByteView option;
    std::string reason;
  };
  /// Told of each change before it is published, in order of registration, on the thread that calls set(); it must
  /// not call set(), rewrite() or on_change(). If a later one vetoes, the earlier ones are called with the arguments
  /// swapped, to undo; the answer of that call is not looked at.
  using OnChange = std::function<std::expected<void, Veto>(const Settings& before, const Settings& after)>;
  void on_change(OnChange callback);

  /// Absolute path, or empty.
  const std::string& config_file() const { return config_file_; }

 private:
  std::expected<void, Veto> ask_callbacks(const Settings& before, const Settings& after);
  void publish(Settings settings);

  std::string config_file_;
  SourceReader reader_;
  std::mutex change_;  // one change or rewrite at a time; guards callbacks_
  std::vector<OnChange> callbacks_;
  mutable std::mutex current_mutex_;  // held for the copy of a pointer only
  std::shared_ptr<const Settings> current_;
  std::atomic<std::uint64_t> generation_{1};
};

}  // namespace magpie::config
