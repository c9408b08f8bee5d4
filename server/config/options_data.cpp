#include "server/config/areas.h"
#include "server/config/no_effect.h"

namespace magpie::config {
namespace {

/// Each number costs memory in every stripe once a database above it is used, and time wherever all are looked at.
constexpr std::int64_t kMostDatabases = 16'384;

constexpr ByteView kOwnLists = "lists are not compressed";
constexpr ByteView kNoSets = "there are no sets yet";
constexpr ByteView kNoHashes = "there are no hashes yet";
constexpr ByteView kNoSortedSets = "there are no sorted sets yet";
constexpr ByteView kNoStreams = "there are no streams yet";

const Option kOptions[] = {
    {.name = "databases",
     .kind = Integer{1, kMostDatabases},
     .default_text = "16",
     .change = Change::AtStart,
     .help = "number of databases that SELECT can choose from",
     .access = field<&Settings::databases>()},
    {.name = "list-max-listpack-size",
     .alias = "list-max-ziplist-size",
     .kind = Integer{kInt32Min, kInt32Max},
     .default_text = "-2",
     .help = "size up to which OBJECT ENCODING calls a list a listpack: elements, or -1 to -5 for 4, 8, 16, 32, 64 KB; "
             "the form it is kept in does not depend on it",
     .access = field<&Settings::list_max_listpack_size>()},
    no_effect("list-compress-depth", Integer{}, "0", kOwnLists),
    no_effect("set-max-intset-entries", Integer{0, kInt64Max}, "512", kNoSets),
    no_effect("set-max-listpack-entries", Integer{0, kInt64Max}, "128", kNoSets),
    no_effect("set-max-listpack-value", MemorySize{}, "64", kNoSets),
    no_effect("hash-max-listpack-entries", Integer{0, kInt64Max}, "512", kNoHashes, Change::Runtime,
              "hash-max-ziplist-entries"),
    no_effect("hash-max-listpack-value", MemorySize{}, "64", kNoHashes, Change::Runtime, "hash-max-ziplist-value"),
    no_effect("zset-max-listpack-entries", Integer{0, kInt64Max}, "128", kNoSortedSets, Change::Runtime,
              "zset-max-ziplist-entries"),
    no_effect("zset-max-listpack-value", MemorySize{}, "64", kNoSortedSets, Change::Runtime, "zset-max-ziplist-value"),
    no_effect("stream-node-max-entries", Integer{0, kInt64Max}, "100", kNoStreams),
    no_effect("stream-node-max-bytes", MemorySize{}, "4096", kNoStreams),
    no_effect("hll-sparse-max-bytes", MemorySize{}, "3000", "there are no HyperLogLogs yet"),
};

}  // namespace

std::span<const Option> data_options() { return kOptions; }

}  // namespace magpie::config
