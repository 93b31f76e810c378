// What is learnt about a language server from what it publishes and registers.

#include "unit/protocol/lsp/word.hpp"

#include <boost/test/unit_test.hpp>

#include "limits.hpp"
#include "unit/protocol/lsp/kinds.hpp"

using namespace hob::unit;
namespace limits = hob::limits;
using worth = lsp_habits::worth;

BOOST_AUTO_TEST_SUITE(lsp_word_and_habits)

BOOST_AUTO_TEST_CASE(a_publish_counts_for_the_version_that_it_names) {
    lsp_habits habits;
    BOOST_TEST((habits.weigh(std::nullopt, 3, false) == worth::counts));
    BOOST_TEST((habits.weigh(3, 3, false) == worth::counts));
    BOOST_TEST((habits.weigh(2, 3, false) == worth::other_version));
    // It names versions: one without is about a document that was closed.
    BOOST_TEST((habits.weigh(std::nullopt, 3, false) == worth::nothing));
}

BOOST_AUTO_TEST_CASE(versions_that_never_fit_are_not_trusted) {
    lsp_habits constant;
    BOOST_TEST((constant.weigh(1, 1, false) == worth::counts));
    BOOST_TEST((constant.weigh(1, 2, false) == worth::other_version));
    BOOST_TEST(constant.distrust_versions());
    BOOST_TEST((constant.weigh(1, 3, false) == worth::counts));
    lsp_habits follows;
    BOOST_TEST((follows.weigh(2, 2, false) == worth::counts));
    BOOST_TEST(!follows.distrust_versions());
    BOOST_TEST((follows.weigh(2, 3, false) == worth::other_version));
}

BOOST_AUTO_TEST_CASE(silence_ends_with_a_publish_or_another_text) {
    lsp_word word;
    word.ask(7);
    word.silent = word.passed = true;
    word.ask(8);
    BOOST_TEST(word.silent);
    word.hear("[]", true);
    BOOST_TEST(!word.silent);
    BOOST_TEST(word.heard == 8u);
    BOOST_TEST(word.passed);
    word.silent = true;
    word.renew();
    BOOST_TEST(!word.silent);
    BOOST_TEST(!word.passed);
}

BOOST_AUTO_TEST_CASE(a_first_empty_list_takes_longer_to_be_believed) {
    const lsp_habits habits;
    lsp_word word;
    word.ask(1);
    word.hear("[]", true);
    BOOST_TEST((habits.quiet(word) == limits::lsp_quiet_first));
    word.hear("[]", true);
    BOOST_TEST((habits.quiet(word) == limits::lsp_quiet));
    word.hear("[]", false);
    BOOST_TEST((habits.quiet(word) == limits::lsp_quiet_plain));
}

BOOST_AUTO_TEST_CASE(languages_are_known_once_they_were_answered_for_or_registered) {
    lsp_kinds kinds;
    BOOST_TEST(!kinds.speaks("cpp"));
    kinds.learn("cpp");
    BOOST_TEST(kinds.speaks("c"));
    BOOST_TEST(!kinds.speaks("markdown"));
    kinds.on_register(
        R"({"registrations":[{"id":"a","method":"textDocument/diagnostic","registerOptions":)"
        R"({"documentSelector":[{"language":"markdown"},{"pattern":"*"},3]}},{"id":"b","method":"x"}]})");
    BOOST_TEST(kinds.speaks("markdown"));
    BOOST_TEST(kinds.registers("textDocument/diagnostic"));
    kinds.on_unregister(R"({"unregisterations":[{"id":"a"}]})");
    BOOST_TEST(!kinds.speaks("markdown"));
    BOOST_TEST(!kinds.registers("textDocument/diagnostic"));
    kinds.on_register(R"({"registrations":"none"})");
}

BOOST_AUTO_TEST_SUITE_END()
