#pragma once

namespace magpie::server {

/// Magpie's own version; CMakeLists.txt reads it here.
inline constexpr const char* kVersion = "0.1.0";
/// The Redis version whose behaviour is implemented; clients read it from HELLO and INFO.
inline constexpr const char* kRedisVersion = "7.2.4";

}  // namespace magpie::server
