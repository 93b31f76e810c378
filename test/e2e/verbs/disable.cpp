// hob disable: undoes hob enable, and nothing else.

#include <boost/test/unit_test.hpp>

#include "fixtures/systemd.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

std::string files_left(sandbox& box) {
    return box.shell("find " + unit_directory_of(box) + " -type f -o -type l").out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(disable)

BOOST_AUTO_TEST_CASE(it_removes_what_enable_wrote_and_leaves_the_daemon) {
    if (!require_root() || !require_program("systemctl")) return;
    sandbox box;
    box.config(echo_worker());
    box.shell("mkdir -p " + unit_directory_of(box) + " && echo mine >" + unit_directory_of(box) +
              "/other.service");
    BOOST_TEST(with_systemd(box, "enable").status == 0);
    BOOST_TEST(box.run({"ping"}).status == 0);
    const pid_t daemon = box.daemon_pid();
    const auto done = with_systemd(box, "disable");
    BOOST_TEST(done.status == 0, done.text());
    BOOST_TEST(count(done.out, "removed  ") == 2u, done.out);
    BOOST_TEST(done.out.find("(pid " + std::to_string(daemon) + ") goes on") != std::string::npos, done.out);
    BOOST_TEST(box.daemon_pid() == daemon);
    BOOST_TEST(files_left(box) == unit_directory_of(box) + "/other.service\n");
    const auto again = with_systemd(box, "disable");
    BOOST_TEST(again.status == 0, again.text());
    BOOST_TEST(again.out == "it was not enabled\n");
}

BOOST_AUTO_TEST_CASE(without_systemd_the_files_and_links_are_removed_too) {
    if (!require_root() || !require_program("systemctl")) return;
    sandbox box;
    box.config(echo_worker());
    BOOST_TEST(with_systemd(box, "enable").status == 0);
    const auto done = box.shell("unshare -m sh -c 'mount -t tmpfs none /run && exec hob disable --json'");
    BOOST_TEST(done.status == 0, done.text());
    BOOST_TEST(json_at(done.out, "/stopped").value_or("") == "false");
    BOOST_TEST(json_at(done.out, "/removed/1").value_or("").ends_with(".socket"), done.out);
    BOOST_TEST(files_left(box) == "");
}

BOOST_AUTO_TEST_CASE(files_changed_by_hand_are_kept_without_force) {
    if (!require_root() || !require_program("systemctl")) return;
    sandbox box;
    box.config(echo_worker());
    BOOST_TEST(with_systemd(box, "enable").status == 0);
    const std::string service = unit_path(box, ".service");
    box.shell("echo '# mine' >>" + service + "; mkdir " + service + ".d");
    const auto done = with_systemd(box, "disable");
    BOOST_TEST(done.status == 0, done.text());
    BOOST_TEST(done.out.find("kept     " + service + ": made by hand") != std::string::npos, done.out);
    BOOST_TEST(done.out.find("kept     " + service + ".d: made by hand") != std::string::npos, done.out);
    BOOST_TEST(files_left(box) == service + "\n");
    BOOST_TEST(with_systemd(box, "disable --force").status == 0);
    BOOST_TEST(files_left(box) == "");
}

BOOST_AUTO_TEST_SUITE_END()
