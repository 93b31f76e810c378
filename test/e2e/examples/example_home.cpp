// examples/home: mail that comes at once, a backup that fails and is repaired, a folder that sorts itself.

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <string>

#include "fixtures/dovecot.hpp"
#include "fixtures/services.hpp"
#include "harness/free_port.hpp"
#include "harness/sandbox.hpp"
#include "paths.hpp"

using namespace hob::test;

namespace {

struct with_home {
    sandbox box;

    with_home() : box(as_nobody()) {
        BOOST_REQUIRE(box.shell("cp -r " HOB_SOURCE_DIR "/examples/home/. . && chmod 600 mail.env && "
                                "mkdir -p incoming documents mail")
                          .status == 0);
    }
    static sandbox_options as_nobody() {
        sandbox_options options;
        if (::geteuid() == 0) options.uid = nobody;
        return options;
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(example_home, with_home)

BOOST_AUTO_TEST_CASE(mail_is_there_as_soon_as_the_server_has_it) {
    if (!require_root() || !require_program("mbsync") || !require_program("dovecot")) return;
    const int port = free_port();
    write_dovecot_conf(box, port);
    auto server = box.start({"run", "--", "/usr/sbin/dovecot", "-F", "-c", box.project() + "/dovecot.conf"});
    BOOST_REQUIRE(wait_until(
        [&] { return box.shell(fmt::format("exec 3<>/dev/tcp/127.0.0.1/{}", port)).status == 0; }));
    box.write("mail.env", fmt::format("IMAP_HOST=127.0.0.1\nIMAP_PORT={}\nIMAP_TLS=no\nIMAP_USER=me\n"
                                      "IMAP_PASSWORD=secret\n",
                                      port));
    box.shell(fmt::format(
        "sed -i 's/^Host .*/Host 127.0.0.1\\nPort {}\\nAuthMechs LOGIN/; s/^SSLType .*/SSLType None/' "
        "mbsyncrc",
        port));
    const auto started = box.run({"start", "mail", "sync"});
    BOOST_TEST(started.status == 0, started.text());
    BOOST_TEST(deliver(box, port, "it boils") == "OK\n");
    BOOST_TEST(wait_until([&] { return box.shell("grep -rl 'it boils' mail/INBOX").status == 0; }, 60s),
               box.run({"runs"}).text() << box.run({"logs", "mail"}).text());
    // Without the server it is tried again and again, and is well as soon as the server is back.
    server.signal(SIGTERM);
    BOOST_TEST(server.wait().status != -1);
    BOOST_TEST(wait_until([&] { return unit_member(box, "mail", "state") != "ready"; }));
    auto again = box.start({"run", "--", "/usr/sbin/dovecot", "-F", "-c", box.project() + "/dovecot.conf"});
    BOOST_TEST(wait_until([&] { return unit_member(box, "mail", "state") == "ready"; }, 60s));
}

BOOST_AUTO_TEST_CASE(a_backup_that_fails_is_told_and_the_next_one_keeps_the_newest) {
    box.shell("rmdir documents");
    BOOST_TEST(box.run({"run", "backup"}).status != 0);
    BOOST_TEST(
        wait_until([&] { return slurp(box.project() + "/notices.txt").find("backup failed: run 1") == 0; }),
        box.shell("ls; cat notices.txt").text());
    box.shell(
        "mkdir documents; for i in 1 2 3 4 5 6 7 8 9; do touch -d 2020-01-0$i "
        "backups/home-2020-01-0$i.tar.gz; done");
    const auto done = box.run({"run", "backup"});
    BOOST_TEST(done.status == 0, done.text());
    BOOST_TEST(box.shell("ls backups | wc -l; ls backups | head -n 1").out == "7\nhome-2020-01-04.tar.gz\n");
}

BOOST_AUTO_TEST_CASE(a_folder_sorts_itself) {
    BOOST_TEST(box.run({"start", "sort"}).status == 0);
    // It runs once at the start.
    BOOST_TEST(wait_until([&] {
        return box.run({"runs", "sort", "--json"}).out.find("\"state\":\"ok\"") != std::string::npos;
    }));
    box.shell("echo a > incoming/letter.txt; echo b > 'incoming/the sea.jpg'; echo c > incoming/c.bin");
    BOOST_TEST(wait_until([&] {
        return exists(box.project() + "/documents/letter.txt") &&
               exists(box.project() + "/pictures/the sea.jpg") && exists(box.project() + "/other/c.bin");
    }));
    BOOST_TEST(box.run({"runs", "sort", "--json"}).out.find("\"trigger\":\"watch\"") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
