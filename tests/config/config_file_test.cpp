#include "server/config/config_file.h"

#include <doctest/doctest.h>

#include <map>

namespace magpie::config {
namespace {

using Words = std::vector<std::string>;

std::expected<std::vector<Directive>, std::string> parse(const std::string& text, const SourceReader& reader = {}) {
  return parse_config_text({"magpie.conf", text}, reader);
}

std::string error_of(const std::string& text, const SourceReader& reader = {}) {
  const auto parsed = parse(text, reader);
  return parsed ? "" : parsed.error();
}

}  // namespace

TEST_CASE("words, quotes and escapes") {
  CHECK(*split_words("a  b\tc") == Words{"a", "b", "c"});
  CHECK(*split_words("  ") == Words{});
  CHECK(*split_words(R"(a "b c" 'd e')") == Words{"a", "b c", "d e"});
  CHECK(*split_words(R"(a "" '')") == Words{"a", "", ""});
  CHECK(*split_words(R"("\x41\n\r\t\a\b\"\\\q")") == Words{"A\n\r\t\a\b\"\\q"});
  CHECK(*split_words(R"('it\'s \n')") == Words{"it's \\n"});
  CHECK(*split_words(R"("\xZZ")") == Words{"xZZ"});
  CHECK(*split_words(R"(a\b ab"cd")") == Words{"a\\b", "abcd"});
  for (const char* wrong : {"\"a", "'a", "\"a\"b", "'a'b", "\"a\\", "\"", "'"}) {
    CAPTURE(wrong);
    CHECK_FALSE(split_words(wrong).has_value());
  }
}

TEST_CASE("a quoted word reads back as it was") {
  std::string all_bytes;
  for (int byte = 0; byte < 256; ++byte) all_bytes += static_cast<char>(byte);
  for (const std::string& text : {all_bytes, std::string(), std::string("plain"), std::string("#no comment"),
                                  std::string("two words"), std::string("a\\b"), std::string("a'b\"c")}) {
    CHECK(*split_words(quote_word(text)) == Words{text});
    CHECK(*split_words("name " + quote_word(text)) == Words{"name", text});
  }
  CHECK(quote_word("plain-1.conf") == "plain-1.conf");
}

TEST_CASE("lines become directives with file and line") {
  const auto parsed = parse("# comment\n\n  Port 7000\r\n\tsave 900 1\nsave 300 10\nrequirepass \"a b\"");
  REQUIRE(parsed.has_value());
  REQUIRE(parsed->size() == 4);
  CHECK(parsed->at(0).name == "port");
  CHECK(parsed->at(0).arguments == Words{"7000"});
  CHECK(location(parsed->at(0)) == "magpie.conf:3");
  CHECK(parsed->at(2).arguments == Words{"300", "10"});
  CHECK(location(parsed->at(3)) == "magpie.conf:6");
  CHECK(parsed->at(3).arguments == Words{"a b"});
}

TEST_CASE("wrong lines are reported with their place") {
  CHECK(error_of("port 1\nrequirepass \"abc") == "magpie.conf:2: unbalanced quotes");
  CHECK(error_of("\"\" 1") == "magpie.conf:1: a name is missing");
  CHECK(error_of("include a.conf") == "magpie.conf:1: 'include' is not possible here");
  CHECK(error_of("include a b", [](const std::string&) { return std::vector<SourceText>{}; }) ==
        "magpie.conf:1: 'include' takes one file");
}

TEST_CASE("included files stand where they are included") {
  const std::map<std::string, std::string> files{{"a.conf", "hz 1\ninclude b.conf\nhz 3"}, {"b.conf", "hz 2"}};
  const SourceReader reader = [&](const std::string& path) -> std::expected<std::vector<SourceText>, std::string> {
    const auto found = files.find(path);
    if (found == files.end()) return std::unexpected("cannot open '" + path + "'");
    return std::vector{SourceText{found->first, found->second}};
  };
  const auto parsed = parse("hz 0\ninclude a.conf\nhz 4", reader);
  REQUIRE(parsed.has_value());
  REQUIRE(parsed->size() == 5);
  for (std::size_t i = 0; i < 5; ++i) CHECK(parsed->at(i).arguments == Words{std::to_string(i)});
  CHECK(location(parsed->at(2)) == "b.conf:1");
  CHECK(location(parsed->at(3)) == "a.conf:3");
  CHECK(location(parsed->at(4)) == "magpie.conf:3");
  CHECK(error_of("\ninclude none.conf", reader) == "magpie.conf:2: cannot open 'none.conf'");
}

TEST_CASE("files that include themselves end in an error") {
  const SourceReader once = [](const std::string& path) { return std::vector{SourceText{path, "include self"}}; };
  CHECK(error_of("include self", once) == "self:1: files include each other too deeply");
  // Short texts whose expansion would be enormous.
  const SourceReader many = [](const std::string& path) {
    return path.size() >= 10 ? std::vector<SourceText>{}
                             : std::vector<SourceText>(10, SourceText{path, "include " + path + "x"});
  };
  CHECK(error_of("include x", many).ends_with("too many files are included"));
}

}  // namespace magpie::config
