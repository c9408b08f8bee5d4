#include <array>

#include "server/commands/client_commands.h"
#include "server/commands/help_reply.h"

namespace magpie::commands {
namespace {

constexpr std::array<std::string_view, 60> kHelp{
    "AWAIT <term> <lsn> <timeout>",
    "    Wait up to <timeout> milliseconds until this node has applied the log up to there.",
    "CACHING (YES|NO)",
    "    Enable/disable tracking of the keys for next command in OPTIN/OPTOUT modes.",
    "CAPA <option> [options...]",
    "    The client claims its some capability options. Unknown ones are ignored.",
    "DURABILITY (ASYNC|SEMI [<replicas>]|DEFAULT)",
    "    Answer writes at once, or once so many replicas have them, or as the server is told.",
    "LSN",
    "    Return the shard, term and LSN of the last write of the current connection.",
    "GETREDIR",
    "    Return the client ID we are redirecting to when tracking is enabled.",
    "GETNAME",
    "    Return the name of the current connection.",
    "ID",
    "    Return the ID of the current connection.",
    "INFO",
    "    Return information about the current client connection.",
    "KILL <ip:port>",
    "    Kill connection made from <ip:port>.",
    "KILL <option> <value> [<option> <value> [...]]",
    "    Kill connections. Options are:",
    "    * ADDR (<ip:port>|<unixsocket>:0)",
    "      Kill connections made from the specified address",
    "    * LADDR (<ip:port>|<unixsocket>:0)",
    "      Kill connections made to specified local address",
    "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
    "      Kill connections by type.",
    "    * USER <username>",
    "      Kill connections authenticated by <username>.",
    "    * SKIPME (YES|NO)",
    "      Skip killing current connection (default: yes).",
    "    * ID <client-id>, NOT-ID <client-id>, MAXAGE <seconds>, IDLE <seconds>, NAME <name>, DB <number>,",
    "      IP <address>, LIB-NAME <name>, LIB-VER <version>",
    "LIST [options ...]",
    "    Return information about client connections. Options:",
    "    * ID <client-id> [<client-id> ...]",
    "      Return the clients with these IDs.",
    "    * The options of KILL, without ID (SKIPME is NO by default).",
    "UNPAUSE",
    "    Stop the current client pause, resuming traffic.",
    "PAUSE <timeout> [WRITE|ALL]",
    "    Suspend all, or just write, clients for <timeout> milliseconds.",
    "REPLY (ON|OFF|SKIP)",
    "    Control the replies sent to the current connection.",
    "SETNAME <name>",
    "    Assign the name <name> to the current connection.",
    "SETINFO <option> <value>",
    "    Set client meta attr. Options are: LIB-NAME, LIB-VER.",
    "UNBLOCK <clientid> [TIMEOUT|ERROR]",
    "    Unblock the specified blocked client.",
    "TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix> [...]]",
    "         [OPTIN] [OPTOUT] [NOLOOP]",
    "    Control server assisted client side caching. Not supported yet: ON is an error.",
    "TRACKINGINFO",
    "    Report tracking status for the current connection.",
    "NO-EVICT (ON|OFF)",
    "    Protect current client connection from eviction.",
    "NO-TOUCH (ON|OFF)",
    "    Will not touch LRU/LFU stats when this mode is on.",
};

}  // namespace

CommandResult client_help(CommandContext& context, ArgReader) { return reply_help(context, kHelp); }

}  // namespace magpie::commands
