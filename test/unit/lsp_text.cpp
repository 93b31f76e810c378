#include "unit/lsp_text.hpp"

#include <boost/test/unit_test.hpp>

using namespace hob::unit;

BOOST_AUTO_TEST_SUITE(lsp_text)

BOOST_AUTO_TEST_CASE(paths_and_uris_are_each_others) {
    for (const char* path : {"/a/b.cpp", "/with blank/ü#?%.c", "/a+b"}) {
        BOOST_TEST(path_of_uri(uri_of_path(path)).value() == path);
    }
    BOOST_TEST(uri_of_path("/a b") == "file:///a%20b");
    for (const char* wrong : {"http://x/y", "file://host/x", "file:///%0", "file:///%zz", "file:///a%00b"})
        BOOST_TEST(!path_of_uri(wrong).has_value(), wrong);
}

BOOST_AUTO_TEST_CASE(columns_count_characters) {
    const char* text = "one\n\xC3\xA4\xF0\x9F\x98\x80x\r\n";
    BOOST_TEST(lsp_character(text, 2, 1, false) == 0u);
    BOOST_TEST(lsp_character(text, 2, 2, false) == 1u);
    BOOST_TEST(lsp_character(text, 2, 3, false) == 3u);
    BOOST_TEST(lsp_character(text, 2, 3, true) == 6u);
    BOOST_TEST(lsp_character(text, 2, 99, false) == 4u);
    BOOST_TEST(lsp_character(text, 9, 5, false) == 0u);
}

BOOST_AUTO_TEST_CASE(patterns_match_as_servers_mean_them) {
    BOOST_TEST(lsp_glob_matches("**/*.{c,h}", "a.c"));
    BOOST_TEST(lsp_glob_matches("**/*.{c,h}", "x/y/a.h"));
    BOOST_TEST(!lsp_glob_matches("**/*.{c,h}", "x/y/a.cc"));
    BOOST_TEST(lsp_glob_matches("src/**", "src/x/y"));
    BOOST_TEST(!lsp_glob_matches("src/**", "lib/x/y"));
    BOOST_TEST(!lsp_glob_matches("*.c", "x/a.c"));
    BOOST_TEST(lsp_glob_matches("/root/**/Cargo.toml", "/root/a/Cargo.toml"));
}

BOOST_AUTO_TEST_SUITE_END()
