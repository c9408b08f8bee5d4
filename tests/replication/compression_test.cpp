// When data for a follower is compressed.
#include <doctest/doctest.h>

#include "server/replication/compression.h"

using magpie::server::Compression;
using Mode = Compression::Mode;

namespace {

constexpr std::size_t kPiece = 65'536;
constexpr unsigned kNotTried = 0;
constexpr unsigned kAnyGain = 100;
constexpr unsigned kGoodGain = 80;

/// A link that is looked at ten times a second.
struct LinkStory {
  explicit LinkStory(bool other_machine = true, Mode mode = Mode::Auto) : compression(mode, other_machine) {}

  /// A tenth of a second in which something was on its way all the time.
  void busy(bool congested, unsigned receiver_percent = 0) {
    times.sending_us += 100'000;
    times.receiver_us += 1'000 * receiver_percent;
    if (congested) compression.note_congested();
    compression.observe(times);
  }
  void idle() { compression.observe(times); }
  void congest(int observations) {
    for (int i = 0; i < observations; ++i) busy(true);
  }
  unsigned asked() { return compression.most_percent(kPiece); }

  Compression compression;
  Compression::Times times;
};

}  // namespace

TEST_CASE("with no nothing is compressed, with yes whatever is not tiny") {
  LinkStory no(true, Mode::No);
  CHECK_FALSE(no.compression.observes());
  no.congest(10);
  CHECK(no.asked() == kNotTried);

  LinkStory yes(false, Mode::Yes);
  CHECK_FALSE(yes.compression.observes());
  CHECK(yes.asked() == kAnyGain);
  CHECK(yes.compression.most_percent(300) == kAnyGain);
  CHECK(yes.compression.most_percent(100) == kNotTried);
  yes.compression.tried(kPiece, kPiece);
  CHECK(yes.asked() == kAnyGain);
}

TEST_CASE("auto waits for a network that stays congested, on the way to another machine") {
  LinkStory link;
  CHECK(link.compression.observes());
  CHECK(link.asked() == kNotTried);
  link.congest(2);
  CHECK(link.asked() == kNotTried);
  link.busy(false);
  link.congest(2);
  CHECK(link.asked() == kNotTried);
  link.busy(true);
  CHECK(link.asked() == kGoodGain);
  CHECK(link.compression.most_percent(100) == kNotTried);

  LinkStory here(false);
  CHECK_FALSE(here.compression.observes());
  here.congest(10);
  CHECK(here.asked() == kNotTried);
}

TEST_CASE("auto does not burden a receiver that is slow") {
  LinkStory link;
  for (int i = 0; i < 10; ++i) link.busy(true, 60);
  CHECK(link.asked() == kNotTried);
  for (int i = 0; i < 3; ++i) link.busy(true, 40);
  CHECK(link.asked() == kGoodGain);
  link.busy(true, 60);
  CHECK(link.asked() == kNotTried);
}

TEST_CASE("auto goes on for a while after the congestion has ended") {
  LinkStory link;
  link.congest(3);
  for (int i = 0; i < 49; ++i) link.busy(false);
  CHECK(link.asked() == kGoodGain);
  link.busy(true);
  for (int i = 0; i < 49; ++i) link.idle();
  CHECK(link.asked() == kGoodGain);
  link.idle();
  CHECK(link.asked() == kNotTried);
  link.congest(2);
  CHECK(link.asked() == kNotTried);
}

TEST_CASE("auto lets data pass that did not shrink, and tries again now and then") {
  LinkStory link;
  link.congest(3);
  for (int i = 0; i < 100; ++i) {
    CHECK(link.asked() == kGoodGain);
    link.compression.tried(kPiece, kPiece / 2);
  }
  int tries = 0;
  for (int i = 0; i < 330; ++i) {
    if (link.asked() == kNotTried) continue;
    ++tries;
    link.compression.tried(kPiece, kPiece);
  }
  CHECK(tries == 10);
}

TEST_CASE("the mode may change at any time") {
  LinkStory link(true, Mode::No);
  link.compression.set_mode(Mode::Auto);
  link.congest(3);
  CHECK(link.asked() == kGoodGain);
  link.compression.tried(kPiece, kPiece);
  link.compression.set_mode(Mode::Yes);
  CHECK(link.asked() == kAnyGain);
  link.compression.set_mode(Mode::No);
  CHECK(link.asked() == kNotTried);
}

TEST_CASE("times that go back are those of a kernel that counts anew") {
  LinkStory link;
  link.congest(3);
  link.times = {};
  link.idle();
  CHECK(link.asked() == kGoodGain);
}
