#include "server/config/areas.h"
#include "server/config/compound_options.h"
#include "server/config/no_effect.h"

namespace magpie::config {
namespace {

constexpr ByteView kFsyncNames[] = {"everysec", "always", "no"};
constexpr ByteView kSanitizeNames[] = {"no", "yes", "clients"};
constexpr ByteView kNoPersistence = "Magpie has no persistence yet";

const Option kOptions[] = {
    no_effect("save", kSavePoints, "", "no persistence yet: nothing is written, and the data is gone after a stop"),
    refused("appendonly", Boolean{}, "no", "Magpie has no persistence yet"),
    no_effect("appendfilename", Text{}, "appendonly.aof", kNoPersistence, Change::AtStart),
    no_effect("appenddirname", Text{}, "appendonlydir", kNoPersistence, Change::AtStart),
    no_effect("appendfsync", Choice{kFsyncNames}, "everysec", kNoPersistence),
    no_effect("no-appendfsync-on-rewrite", Boolean{}, "no", kNoPersistence),
    no_effect("auto-aof-rewrite-percentage", Integer{}, "100", kNoPersistence),
    no_effect("auto-aof-rewrite-min-size", MemorySize{}, "67108864", kNoPersistence),
    no_effect("aof-load-truncated", Boolean{}, "yes", kNoPersistence),
    no_effect("aof-use-rdb-preamble", Boolean{}, "yes", kNoPersistence),
    no_effect("aof-timestamp-enabled", Boolean{}, "no", kNoPersistence),
    no_effect("aof-rewrite-incremental-fsync", Boolean{}, "yes", kNoPersistence),
    no_effect("aof-disable-auto-gc", Boolean{}, "no", kNoPersistence),
    no_effect("dbfilename", Text{}, "dump.rdb", kNoPersistence, Change::Protected),
    no_effect("rdbcompression", Boolean{}, "yes", kNoPersistence),
    no_effect("rdbchecksum", Boolean{}, "yes", kNoPersistence, Change::AtStart),
    no_effect("rdb-del-sync-files", Boolean{}, "no", kNoPersistence),
    no_effect("rdb-save-incremental-fsync", Boolean{}, "yes", kNoPersistence),
    no_effect("stop-writes-on-bgsave-error", Boolean{}, "yes", kNoPersistence),
    no_effect("sanitize-dump-payload", Choice{kSanitizeNames}, "no", "payloads of RESTORE are always checked in full"),
};

}  // namespace

std::span<const Option> persistence_options() { return kOptions; }

}  // namespace magpie::config
