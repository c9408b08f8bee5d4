#include "server/config/areas.h"

namespace magpie::config {
namespace {

constexpr ByteView kChannelNames[] = {"allchannels", "resetchannels"};
constexpr ByteView kNoAclFile = "users cannot be read from a file yet, and without them every client would be let in";

const Option kOptions[] = {
    {.name = "requirepass",
     .kind = Text{},
     .help = "password that clients must give; empty for none",
     .access = field<&Settings::requirepass>()},
    {.name = "enable-debug-command",
     .kind = Choice{kPermissionNames},
     .default_text = "no",
     .change = Change::AtStart,
     .help = "who may use DEBUG: nobody, everybody, or clients of this machine",
     .access = field<&Settings::enable_debug_command>()},
    {.name = "enable-protected-configs",
     .kind = Choice{kPermissionNames},
     .default_text = "no",
     .change = Change::AtStart,
     .help = "who may change protected options by CONFIG SET",
     .access = field<&Settings::enable_protected_configs>()},
    {.name = "enable-module-command",
     .kind = Choice{kPermissionNames},
     .default_text = "no",
     .change = Change::AtStart,
     .effect = Effect::None,
     .reason = "there are no modules"},
    {.name = "aclfile", .kind = Text{}, .change = Change::AtStart, .effect = Effect::Refused, .reason = kNoAclFile},
    {.name = "acllog-max-len",
     .kind = Integer{0, kInt64Max},
     .default_text = "128",
     .effect = Effect::None,
     .reason = "there is no ACL log yet"},
    {.name = "acl-pubsub-default",
     .kind = Choice{kChannelNames},
     .default_text = "resetchannels",
     .effect = Effect::None,
     .reason = "there are no users but the default one yet"},
};

}  // namespace

std::span<const Option> access_options() { return kOptions; }

}  // namespace magpie::config
