#include "server/config/areas.h"
#include "server/config/no_effect.h"

namespace magpie::config {
namespace {

constexpr ByteView kPolicyNames[] = {"volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl",
                                     "allkeys-lru",  "allkeys-lfu",  "allkeys-random",  "noeviction"};
constexpr ByteView kFreedAtOnce = "single values are freed at once; only flushed databases are freed in the background";
constexpr ByteView kNoDefragmentation = "there is no active defragmentation";

const Option kOptions[] = {
    {.name = "maxmemory",
     .kind = MemorySize{},
     .default_text = "0",
     .help = "memory for data; at the limit maxmemory-policy decides; 0 for no limit",
     .access = field<&Settings::maxmemory>()},
    {.name = "maxmemory-policy",
     .kind = Choice{kPolicyNames},
     .default_text = "noeviction",
     .help = "which keys make room when memory is full",
     .access = field<&Settings::maxmemory_policy>()},
    {.name = "maxmemory-samples",
     .kind = Integer{.low = 1},
     .default_text = "5",
     .help = "how many keys volatile-ttl compares",
     .access = field<&Settings::maxmemory_samples>()},
    {.name = "lfu-log-factor",
     .kind = Integer{},
     .default_text = "10",
     .help = "how slowly the counter of uses grows",
     .access = field<&Settings::lfu_log_factor>()},
    {.name = "lfu-decay-time",
     .kind = Integer{},
     .default_text = "1",
     .help = "minutes after which an unused key's counter is lowered",
     .access = field<&Settings::lfu_decay_time>()},
    {.name = "lazyfree-lazy-user-flush",
     .kind = Boolean{},
     .default_text = "no",
     .help = "FLUSHALL and FLUSHDB are ASYNC unless they say SYNC",
     .access = field<&Settings::lazyfree_lazy_user_flush>()},
    no_effect("maxmemory-eviction-tenacity", Integer{0, 100}, "10", "eviction ends when memory is below the limit"),
    no_effect("active-expire-effort", Integer{1, 10}, "1", "expired keys are found by their time, not searched for"),
    no_effect("lazyfree-lazy-eviction", Boolean{}, "no", kFreedAtOnce),
    no_effect("lazyfree-lazy-expire", Boolean{}, "no", kFreedAtOnce),
    no_effect("lazyfree-lazy-server-del", Boolean{}, "no", kFreedAtOnce),
    no_effect("lazyfree-lazy-user-del", Boolean{}, "no", kFreedAtOnce),
    no_effect("activedefrag", Boolean{}, "no", kNoDefragmentation),
    no_effect("active-defrag-ignore-bytes", MemorySize{.low = 1}, "104857600", kNoDefragmentation),
    no_effect("active-defrag-threshold-lower", Integer{0, 1000}, "10", kNoDefragmentation),
    no_effect("active-defrag-threshold-upper", Integer{0, 1000}, "100", kNoDefragmentation),
    no_effect("active-defrag-cycle-min", Integer{1, 99}, "1", kNoDefragmentation),
    no_effect("active-defrag-cycle-max", Integer{1, 99}, "25", kNoDefragmentation),
    no_effect("active-defrag-max-scan-fields", Integer{1, kInt64Max}, "1000", kNoDefragmentation),
    no_effect("activerehashing", Boolean{}, "yes", "tables grow in small steps at all times"),
    no_effect("jemalloc-bg-thread", Boolean{}, "yes", "the allocator's own settings are used"),
};

}  // namespace

std::span<const Option> memory_options() { return kOptions; }

}  // namespace magpie::config
