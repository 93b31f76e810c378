// A real mail sync: Dovecot as a service, mbsync as a task on a timer. A message that is delivered on the
// server arrives in the local folder.

#include <boost/test/unit_test.hpp>

#include <fmt/format.h>

#include "fixtures/dovecot.hpp"
#include "harness/free_port.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

void client_files(sandbox& box, int port) {
    box.write("mbsyncrc", fmt::format(R"(IMAPAccount far
Host 127.0.0.1
Port {1}
User me
Pass secret
SSLType None
AuthMechs LOGIN

IMAPStore far
Account far

MaildirStore near
Path {0}/near/
Inbox {0}/near/INBOX

Channel all
Far :far:
Near :near:
Patterns INBOX
Create Near
SyncState *
)",
                                      box.root(), port));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(mail)

BOOST_AUTO_TEST_CASE(a_task_on_a_timer_fetches_a_message_from_the_service_that_it_needs) {
    if (!require_root() || !require_program("mbsync") || !require_program("dovecot")) return;
    sandbox_options as_nobody;
    as_nobody.uid = nobody;
    sandbox box(as_nobody);
    const int port = free_port();
    write_dovecot_conf(box, port);
    client_files(box, port);
    box.config(
        fmt::format("[service.imap]\nrun = [\"/usr/sbin/dovecot\", \"-F\", \"-c\", \"dovecot.conf\"]\n"
                    "ready = {{ tcp = {} }}\n"
                    "[task.sync]\nrun = [\"mbsync\", \"-c\", \"mbsyncrc\", \"-a\"]\nevery = \"1s\"\n"
                    "after = [\"imap\"]\ntimeout = \"20s\"\n",
                    port));
    BOOST_TEST(box.shell("mkdir " + box.root() + "/near").status == 0);
    // The first run starts the server, and waits until it listens.
    const auto first = box.run({"run", "sync"});
    BOOST_TEST_CONTEXT(first.text() << box.run({"logs", "imap"}).text()) { BOOST_REQUIRE(first.status == 0); }
    BOOST_TEST(json_at(box.run({"status", "--json"}).out, "/units/0/state").value_or("") == "ready");

    BOOST_TEST(deliver(box, port, "it boils") == "OK\n");
    const bool arrived = wait_until(
        [&] { return box.shell("grep -rl 'it boils' " + box.root() + "/near/INBOX").status == 0; }, 30s);
    BOOST_TEST_CONTEXT(box.run({"runs"}).text()) { BOOST_TEST(arrived); }
    const auto runs = box.run({"runs", "sync", "--json"}).out;
    BOOST_TEST(count(runs, "\"trigger\":\"timer\"") >= 1u);
    BOOST_TEST(count(runs, "\"state\":\"failed\"") == 0u);
    BOOST_TEST(box.run({"shutdown"}).status == 0);
}

BOOST_AUTO_TEST_SUITE_END()
