#include "server/config/config_store.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "protocol/numbers.h"
#include "server/config/option_table.h"
#include "server/config/rewrite.h"

namespace magpie::config {
namespace {

using Outcome = std::expected<void, std::string>;

std::unexpected<std::string> failed(ByteView name, ByteView why) {
  return std::unexpected("ERR CONFIG SET failed (possibly related to argument '" + std::string(name) + "') - " +
                         std::string(why));
}

bool may_change_protected(Permission permission, ConfigStore::Caller caller) {
  return permission == Permission::Yes || (permission == Permission::Local && caller == ConfigStore::Caller::Local);
}

/// Looks at the names alone: Redis reports a name that cannot be set before any wrong value.
std::expected<std::vector<const Option*>, std::string> resolve(ConfigStore::Pairs pairs, Permission permission,
                                                               ConfigStore::Caller caller) {
  std::vector<const Option*> options;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const ByteView name = pairs[i].first;
    const auto found = find_option(name);
    if (!found) {
      return std::unexpected("ERR Unknown option or number of arguments for CONFIG SET - '" + std::string(name) + "'");
    }
    if (found->option->change == Change::AtStart && caller != ConfigStore::Caller::Command) {
      return failed(name, "can't set immutable config");
    }
    if (found->option->change == Change::Protected && !may_change_protected(permission, caller)) {
      return failed(name, "can't set protected config");
    }
    // By name: an option and its alias may be set in one call, as in Redis.
    const auto same = [&](const auto& earlier) { return equals_ignore_case(earlier.first, name); };
    if (std::ranges::any_of(pairs.first(i), same)) return failed(name, "duplicate parameter");
    options.push_back(found->option);
  }
  return options;
}

Outcome set_one(Settings& settings, const Option& option, ByteView name, ByteView text) {
  std::vector<std::string> arguments;
  if (takes_several_arguments(option)) {
    arguments = split_at_spaces(text);
    if (arguments.empty()) arguments.emplace_back();
  } else {
    arguments.emplace_back(text);
  }
  if (auto assigned = assign(settings, option, arguments, Origin::Set); !assigned)
    return failed(name, assigned.error());
  if (option.effect == Effect::Refused && format(settings, option) != option.default_text) {
    return failed(name, option.reason);
  }
  return {};
}

/// What CONFIG GET answers: each name once.
class Matches {
 public:
  explicit Matches(const Settings& settings) : settings_(settings) {}

  void add(ByteView name, const Option& option) {
    const bool known = std::ranges::any_of(rows_, [&](const auto& row) { return equals_ignore_case(row.first, name); });
    if (!known) rows_.emplace_back(name, format(settings_, option));
  }

  void add_matching(ByteView pattern) {
    for (const Area& area : areas()) {
      for (const Option& option : area.options) {
        if (!option.hidden) add_if_matching(pattern, option);
      }
    }
  }

  std::vector<std::pair<std::string, std::string>> take() { return std::move(rows_); }

 private:
  void add_if_matching(ByteView pattern, const Option& option) {
    if (glob_match(pattern, option.name, true)) add(option.name, option);
    if (!option.alias.empty() && glob_match(pattern, option.alias, true)) add(option.alias, option);
  }

  const Settings& settings_;
  std::vector<std::pair<std::string, std::string>> rows_;
};

/// The name as the client wrote it, if it named the option.
ByteView name_in(ConfigStore::Pairs pairs, ByteView option) {
  for (const auto& [name, value] : pairs) {
    const auto found = find_option(name);
    if (found && found->option->name == option) return name;
  }
  return option;
}

}  // namespace

ConfigStore::ConfigStore(Settings settings, std::string config_file, SourceReader reader)
    : config_file_(std::move(config_file)),
      reader_(std::move(reader)),
      current_(std::make_shared<const Settings>(std::move(settings))) {}

std::shared_ptr<const Settings> ConfigStore::current() const {
  const std::scoped_lock lock(current_mutex_);
  return current_;
}

void ConfigStore::publish(Settings settings) {
  auto next = std::make_shared<const Settings>(std::move(settings));
  const std::scoped_lock lock(current_mutex_);
  current_.swap(next);
  generation_.fetch_add(1, std::memory_order_release);
}

Outcome ConfigStore::set(Pairs pairs, Caller caller) {
  const std::scoped_lock lock(change_);
  const auto before = current();
  const auto options = resolve(pairs, before->enable_protected_configs, caller);
  if (!options) return std::unexpected(options.error());
  Settings after = *before;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    auto changed = set_one(after, *(*options)[i], pairs[i].first, pairs[i].second);
    if (!changed) return changed;
  }
  if (after == *before) return {};
  if (auto allowed = ask_callbacks(*before, after); !allowed) {
    return failed(name_in(pairs, allowed.error().option), allowed.error().reason);
  }
  publish(std::move(after));
  return {};
}

std::expected<void, ConfigStore::Veto> ConfigStore::ask_callbacks(const Settings& before, const Settings& after) {
  for (std::size_t i = 0; i < callbacks_.size(); ++i) {
    auto answer = callbacks_[i](before, after);
    if (answer) continue;
    while (i > 0) [[maybe_unused]]
      const auto undone = callbacks_[--i](after, before);
    return answer;
  }
  return {};
}

std::vector<std::pair<std::string, std::string>> ConfigStore::get(std::span<const ByteView> patterns) const {
  const auto settings = current();
  Matches matches(*settings);
  for (const ByteView pattern : patterns) {
    if (pattern.find_first_of("[*?") != ByteView::npos) {
      matches.add_matching(pattern);
    } else if (const auto found = find_option(pattern)) {
      matches.add(pattern, *found->option);  // Redis answers with the name as it was asked
    }
  }
  return matches.take();
}

Outcome ConfigStore::rewrite() {
  const std::scoped_lock lock(change_);
  if (config_file_.empty()) return std::unexpected("ERR The server is running without a config file");
  const auto fail = [](const std::string& why) { return std::unexpected("ERR Rewriting config file: " + why); };
  const auto old = reader_(config_file_);
  std::error_code error;
  if (!old && std::filesystem::exists(config_file_, error)) return fail(old.error());
  // The file may have been removed; then the new one holds what differs from the defaults.
  const SourceText source = old && old->size() == 1 ? old->front() : SourceText{config_file_, ""};
  const auto text = rewrite_config_text(source, *current(), reader_);
  if (!text) return fail(text.error());
  if (auto replaced = replace_file(config_file_, *text); !replaced) return fail(replaced.error());
  return {};
}

void ConfigStore::on_change(OnChange callback) {
  const std::scoped_lock lock(change_);
  callbacks_.push_back(std::move(callback));
}

}  // namespace magpie::config
