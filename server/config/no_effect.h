#pragma once

#include "server/config/option.h"

namespace magpie::config {

/// A row for an option that is accepted without meaning, for the files that hold little else.
constexpr Option no_effect(ByteView name, Kind kind, ByteView default_text, ByteView reason,
                           Change change = Change::Runtime, ByteView alias = {}) {
  return {.name = name,
          .alias = alias,
          .kind = kind,
          .default_text = default_text,
          .change = change,
          .effect = Effect::None,
          .reason = reason};
}

/// A row for an option that must stay at its default.
constexpr Option refused(ByteView name, Kind kind, ByteView default_text, ByteView reason,
                         Change change = Change::Runtime, ByteView alias = {}) {
  Option row = no_effect(name, kind, default_text, reason, change, alias);
  row.effect = Effect::Refused;
  return row;
}

}  // namespace magpie::config
