#include "cluster/arbiter/log_format.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "cluster/arbiter/limits.h"
#include "protocol/wire/frame.h"

using namespace magpie::cluster;  // NOLINT(google-build-using-namespace): all of it is tested
using magpie::ByteBuffer;
using magpie::ByteView;

namespace {

constexpr const char* kCluster = "cluster";

/// A store with a few keys, and the file that it makes: a snapshot, then a frame for each further transaction.
struct Written {
  Written() {
    change("a", "1");
    change("b", "2");
    change("a", {});
    snapshot();
  }
  void snapshot() {
    ByteBuffer bytes;
    append_snapshot(bytes, kCluster, store);
    file = bytes.view();
    ends = {file.size()};
    revisions = {store.revision()};
  }
  std::vector<Transaction::Write> change(const std::string& key, const std::optional<std::string>& value) {
    return store.transact({.compares = {}, .writes = {{key, value}}, .reads = {}})->changes;
  }
  void commit(const std::string& key, const std::optional<std::string>& value) {
    CommitFrames frames;
    const auto changes = change(key, value);
    frames.add(store.revision(), changes);
    for (const ByteBuffer& frame : frames.frames()) file += frame.view();
    ends.push_back(file.size());
    revisions.push_back(store.revision());
  }

  Store store;
  std::string file;
  std::vector<std::size_t> ends;  // of the snapshot and of each frame behind it
  std::vector<Revision> revisions;  // there
};

Written with_commits() {
  Written written;
  written.commit("c", "a value of some length");
  written.commit("b", {});
  written.commit("a", std::string("\0\xff", 2));
  return written;
}

std::string frame_of(ByteView payload) {
  ByteBuffer buffer;
  magpie::wire::append_frame(buffer, payload);
  return std::string(buffer.view());
}

}  // namespace

TEST_CASE("arbiter log: what is written is read again") {
  Written written = with_commits();
  const auto contents = read_log(written.file);
  REQUIRE(contents.has_value());
  CHECK(contents->cluster == kCluster);
  CHECK(contents->store.states() == written.store.states());
  CHECK(contents->store.revision() == Revision{6});
  CHECK(contents->bytes == written.file.size());
  CHECK(contents->torn == 0);
}

TEST_CASE("arbiter log: a file that is cut behind its snapshot has all whole commits") {
  const Written written = with_commits();
  for (std::size_t size = written.ends[0]; size <= written.file.size(); ++size) {
    CAPTURE(size);
    std::size_t whole = 0;
    while (whole + 1 < written.ends.size() && written.ends[whole + 1] <= size) ++whole;
    const auto contents = read_log(ByteView(written.file).substr(0, size));
    REQUIRE(contents.has_value());
    CHECK(contents->bytes == written.ends[whole]);
    CHECK(contents->torn == size - written.ends[whole]);
    CHECK(contents->store.revision() == written.revisions[whole]);
  }
}

TEST_CASE("arbiter log: a file that is cut inside its snapshot is refused") {
  const Written written = with_commits();
  for (std::size_t size = 0; size < written.ends[0]; ++size) {
    CAPTURE(size);
    CHECK_FALSE(read_log(ByteView(written.file).substr(0, size)).has_value());
  }
}

TEST_CASE("arbiter log: blocks of the last frame that the disk never got are a torn end") {
  const Written written = with_commits();
  const std::size_t last = written.ends[written.ends.size() - 2];
  for (std::size_t from = last; from < written.file.size(); ++from) {
    for (const bool to_the_end : {true, false}) {
      std::string file = written.file;
      for (std::size_t at = from; at < (to_the_end ? file.size() : from + 1); ++at) file[at] = 0;
      if (file == written.file) continue;
      CAPTURE(from);
      const auto contents = read_log(file);
      REQUIRE(contents.has_value());
      CHECK(contents->bytes == last);
      CHECK(contents->store.revision() == Revision{5});
    }
  }
}

TEST_CASE("arbiter log: any bit changed before the last frame is damage, and its place is told") {
  const Written written = with_commits();
  const std::size_t last = written.ends[written.ends.size() - 2];
  for (std::size_t bit = 0; bit < last * 8; ++bit) {
    std::string file = written.file;
    file[bit / 8] = static_cast<char>(file[bit / 8] ^ 1 << bit % 8);
    CAPTURE(bit);
    const auto contents = read_log(file);
    REQUIRE_FALSE(contents.has_value());
    CHECK(contents.error().offset <= bit / 8);
    CHECK_FALSE(contents.error().what.empty());
  }
}

TEST_CASE("arbiter log: damage further from the end than a frame reaches is none of a torn end") {
  Written written;
  for (int i = 0; i < 6; ++i) written.commit("key" + std::to_string(i), std::string(kMostValueBytes, 'v'));
  std::string file = written.file;
  const std::size_t second = written.ends[1];
  file.resize(file.size() - 1);
  CHECK(read_log(file)->bytes == written.ends[5]);
  for (std::size_t at = second; at < file.size(); ++at) file[at] = 0;  // no good frame follows
  REQUIRE_FALSE(read_log(file).has_value());
  CHECK(read_log(file).error().offset == second);
}

TEST_CASE("arbiter log: good frames with a content that cannot be are damage") {
  const Written written = with_commits();
  const std::string& file = written.file;
  const auto refused = [](const std::string& bytes, std::string_view words) {
    const auto contents = read_log(bytes);
    REQUIRE_FALSE(contents.has_value());
    CHECK_MESSAGE(contents.error().what.find(words) != std::string::npos, contents.error().what);
  };
  refused("", "no file of an arbiter");
  refused("#!/bin/sh\n", "no file of an arbiter");
  refused(frame_of("MARh\x02"), "the file is of version 2, and this program knows only version 1");
  refused(file + frame_of("MARx"), "none of a log");
  refused(file + frame_of("MARc"), "none of a log");
  refused(file + file, "none of a log");
  const std::string last = file.substr(written.ends[written.ends.size() - 2]);
  refused(file + last, "a commit of revision 6 behind one of 6");
  CommitFrames later;
  later.add({8}, {{"key", "value"}});
  refused(file + std::string(later.frames()[0].view()), "a commit of revision 8 behind one of 6");
}

TEST_CASE("arbiter log: many commits share frames, each as full as it gets") {
  Store store;
  CommitFrames frames;
  CHECK(frames.empty());
  for (int i = 0; i < 20; ++i) {
    const auto done = store.transact(
        {.compares = {}, .writes = {{std::to_string(i), std::string(kMostValueBytes / 2, 'v')}}, .reads = {}});
    frames.add(done->result.revision, done->changes);
  }
  ByteBuffer file;
  append_snapshot(file, kCluster, Store());
  CHECK(frames.frames().size() == 3);
  for (const ByteBuffer& frame : frames.frames()) file.append(frame.view());
  CHECK(read_log(file.view())->store.states() == store.states());
  ByteBuffer snapshot;
  append_snapshot(snapshot, kCluster, store);
  CHECK(read_log(snapshot.view())->store.states() == store.states());
}
