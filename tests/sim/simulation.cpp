#include "tests/sim/simulation.h"

#include <algorithm>

namespace magpie::sim {

Simulation::Simulation(const Setup& setup)
    : setup_(setup),
      random_(setup.seed),
      network_(schedule_, random_.fork()),
      arbiter_(schedule_, network_, random_.fork()),
      trace_(schedule_, setup.print),
      checks_(schedule_, arbiter_, setup.replica.mode),
      around_{.schedule = schedule_,
              .network = network_,
              .arbiter = arbiter_,
              .trace = trace_,
              .checks = checks_,
              .random = random_.fork(),
              .data_rules = setup.data_rules,
              .limits = setup.limits,
              .plane = setup.plane,
              .process_at = [this](Place place) { return processes_[place]; },
              .end_process = {}} {
  processes_.resize(setup.nodes);
  for (Place place = 0; place < setup.nodes; ++place) clocks_.emplace_back(random_, setup.most_drift);
  around_.end_process = [this](Place place, nanoseconds again) {
    schedule_.after(nanoseconds(0), [this, place, ending = processes_[place]] {
      if (processes_[place] == ending) crash(place);
    });
    if (again.count() > 0) schedule_.after(again, [this, place] { begin(place); });
  };
  checks_.on_loss = [this] { work_.history.data_lost(work_.last_value); };
  arbiter_.watch([this] {
    checks_.arbiter_changed();
    for (Place place = 0; place < processes_.size(); ++place) {
      network_.request(kArbiter, place, [this, place] {
        if (const auto process = processes_[place]) process->handle(cluster::KeysChanged{});
      });
    }
  });
  for (Place place = 0; place < setup.nodes; ++place) begin(place);
}

Simulation::~Simulation() {
  for (const auto& process : processes_) {
    if (process) process->kill();
  }
}

cluster::ReplicaConfig Simulation::config_of(Place place) {
  cluster::ReplicaConfig config = setup_.replica;
  config.prefix = Checks::kPrefix;
  config.self.node = {name_of(place)};
  for (auto& byte : config.self.incarnation.bytes) byte = static_cast<std::uint8_t>(random_.below(256));
  for (Place node = 0; node < setup_.nodes; ++node) config.nodes.push_back({name_of(node)});
  return config;
}

void Simulation::crash(Place place) {
  if (!processes_[place]) return;
  trace_.add(place, [&] { return name_of(place) + " is gone"; });
  processes_[place]->kill();
  processes_[place].reset();
}

void Simulation::begin(Place place) {
  if (processes_[place]) return;
  trace_.add(place, [&] { return name_of(place) + " starts"; });
  processes_[place] = std::make_shared<Process>(around_, place, clocks_[place], config_of(place));
  processes_[place]->start();
}

std::shared_ptr<Process> Simulation::leader() const {
  if (!checks_.shard() || !checks_.shard()->leader) return nullptr;
  const auto process = processes_[place_of_name(checks_.shard()->leader->node)];
  return process && process->self() == *checks_.shard()->leader ? process : nullptr;
}

void Simulation::run_until(TrueTime end) {
  while (!checks_.violation() && schedule_.run_next(end)) checks_.look(processes_);
}

void Simulation::start_clients() {
  for (std::size_t number = 0; number < setup_.clients; ++number) {
    clients_.push_back(std::make_shared<Client>(around_, work_, setup_.nodes));
    clients_.back()->run();
  }
}

void Simulation::stop_clients() {
  for (const auto& client : clients_) client->stop();
}

void Simulation::check_histories() {
  if (checks_.violation()) return;
  const bool strict = checks_.keeps_all();
  const auto check = [this](const std::optional<std::string>& wrong) {
    if (wrong) checks_.violated(*wrong);
  };
  if (strict) check(check_registers(work_.history));
  const auto last = leader();
  if (!last || !last->serves_now()) return;
  std::vector<std::vector<Value>> lists;
  lists.reserve(kLists);
  for (std::size_t list = 0; list < kLists; ++list) lists.push_back(last->data().look_list(kFirstList + list));
  check(check_lists(work_.history, lists, strict));
}

}  // namespace magpie::sim
