#pragma once

#include <algorithm>
#include <cstddef>
#include <expected>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "protocol/byte_buffer.h"
#include "protocol/wire/frame.h"
#include "protocol/wire/messages.h"
#include "tests/sim/data_plane.h"

namespace magpie::sim {

/// Some of the bytes that one node sends another; frames may be cut.
struct Piece final : DataMessage {
  explicit Piece(ByteView piece) : bytes(piece) {}
  std::string bytes;
};

/// A link of the production data plane: frames in bytes.
class ProductionLink {
 public:
  ProductionLink(DataHost& host, LinkId id) : host_(&host), id_(id) {}

  LinkId id() const { return id_; }
  ByteBuffer& out() { return out_; }
  /// Sends what is in out(), now and then in pieces.
  void flush() {
    while (!out_.empty()) {
      const std::size_t size = host_->random_below(8) == 0 ? 1 + host_->random_below(out_.size()) : out_.size();
      host_->send(id_, std::make_shared<Piece>(out_.view().substr(0, size)));
      out_.consume(size);
    }
  }
  /// Calls take(message, size of its frame) for each message that has come, as server::Link does.
  template <class Take>
  std::expected<void, std::string> read(const DataMessage& piece, Take take) {
    in_.append(static_cast<const Piece&>(piece).bytes);
    std::size_t taken = 0;
    std::expected<void, std::string> outcome;
    while (outcome) {
      const auto parsed = wire::parse_frame(in_.view().substr(taken));
      if (std::holds_alternative<wire::NeedMore>(parsed)) break;
      const auto* frame = std::get_if<wire::Frame>(&parsed);
      if (frame == nullptr) return std::unexpected("it sent no frame");
      taken += frame->consumed;
      const auto message = decoder_->decode(frame->payload);
      if (!message) return std::unexpected("it sent no message");
      outcome = take(*message, frame->consumed);
    }
    in_.consume(taken);
    return outcome;
  }

 private:
  DataHost* host_;
  LinkId id_;
  ByteBuffer in_;
  ByteBuffer out_;
  std::unique_ptr<wire::MessageDecoder> decoder_ = std::make_unique<wire::MessageDecoder>();
};

}  // namespace magpie::sim
