// Diagnostics of real language servers after changes of other files, for some rounds of the script that
// `./dev soak` runs for long.

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

#include "harness/sandbox.hpp"
#include "paths.hpp"

using namespace hob::test;

BOOST_AUTO_TEST_SUITE(lsp_real_servers)

BOOST_AUTO_TEST_CASE(P01_real_servers_tell_the_truth_after_changes_of_other_files) {
    if (!require_program("python3") || !require_program("git")) return;
    sandbox box;
    for (const char* server : {"clangd", "pyright", "pylsp", "typescript", "vtsls", "gopls", "json", "css",
                               "yaml", "biome", "eslint", "svelte", "vue"}) {
        run_options options;
        options.program = "/usr/bin/env";
        options.limit = 280s;
        const std::vector<std::string> words = {"python3",  HOB_SOURCE_DIR "/test/soak/diagnostics.py",
                                                "--hob",    HOB_BINARY,
                                                "--npm",    HOB_NPM,
                                                "--server", server,
                                                "--rounds", std::to_string(scaled(8)),
                                                "--seed",   "4"};
        const auto output = box.run(words, options);
        BOOST_TEST(output.status == 0, server << ": " << output.text());
        const bool skipped = output.out.find("not installed") != std::string::npos;
        if (skipped) BOOST_TEST(number_from_env("HOB_REQUIRE_ALL", 0) == 0, output.out);
    }
}

BOOST_AUTO_TEST_SUITE_END()
