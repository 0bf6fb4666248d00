// What the worker keeps on the disk, and what it does when it cannot.

#include "plugin/host/store/message_codec.h"
#include "plugin/host/store/sqlite_store.h"
#include "tests/host/worker_rig.h"

#include <sys/stat.h>

namespace {

using namespace stox;
using namespace stox::host::test;

class WorkerStoreTest : public WorkerTest {
protected:
    /// The first number of that name in a status.
    int status(const std::string& name) {
        control->send(R"({"t":"status","id":"q1"})"
                      "\n");
        const auto line = control->line_with("\"q1\"");
        std::smatch match;
        return std::regex_search(line, match, std::regex('"' + name + "\":([0-9]+)")) ? std::stoi(match[1]) : -1;
    }
    /// What is on its way arrives.
    void await(const std::string& name, int value) {
        for (int tries = 0; status(name) != value; ++tries) {
            ASSERT_LT(tries, 1'000) << name << " is " << status(name);
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
    }

    std::string store_path() const { return state.file("store.db"); }

    /// Puts rows into the store of a worker that does not run.
    void put(std::vector<std::pair<std::string, std::string>> rows) {
        boost::asio::io_context loop;
        auto store = store::SqliteStore::open(loop, {.path = store_path()}).value();
        for (auto& [key, value] : rows)
            ASSERT_TRUE(store->put("inbox/capulet.test", key, value, store::Durability::full, [](Result<void> done) { EXPECT_TRUE(done); }));
        loop.run();
    }
};

std::string accepted_row(const std::string& id) {
    engine::InboxRow row;
    row.stanza.from = xmpp::Jid::parse("juliet@capulet.test").value();
    row.stanza.to = xmpp::Jid::parse("romeo@montague.test").value();
    row.stanza.id = id;
    row.stanza.bodies = {{"kept " + id, ""}};
    row.accepted = UtcTime(std::chrono::milliseconds(1'800'000'000'000));
    return store::to_json(row).value();
}

std::string final_response(Wire& phone) { return phone.read_until("\r\n\r\n"); }

TEST_F(WorkerStoreTest, IM_29_WhatWasAcceptedWithoutAStreamIsDeliveredByTheNextWorkerInOrderWithItsTime) {
    {
        Wire phone = udp_to(listen());
        set_domain(peer(local_port(phone)));
        attach(listener, "capulet.test");
        control->line_with("\"down\"");
        for (const unsigned number : {1u, 2u, 3u}) {
            phone.send(message_from_phone(local_port(phone), number));
            EXPECT_EQ(final_response(phone).rfind("SIP/2.0 202", 0), 0u) << number;
        }
        EXPECT_EQ(status("stored"), 3);
        stop();
    }
    start();
    Wire phone = udp_to(listen());
    set_domain(peer(local_port(phone)));
    Wire stream = attach(listener, "capulet.test");
    for (const std::string body : {"<body>hello</body>", "<body>hello2</body>", "<body>hello3</body>"}) {
        const auto stanza = stream.read_until("</message>");
        EXPECT_NE(stanza.find(body), std::string::npos) << stanza;
        EXPECT_NE(stanza.find("urn:xmpp:delay"), std::string::npos) << stanza;
    }
    answer_ping(stream, stream.read_until("</iq>"));
    await("stored", 0);
    stop();
    start();
    listen();
    set_domain(peer(5999));
    attach(listener, "capulet.test");
    EXPECT_EQ(status("stored"), 0) << "what a barrier covered is erased";
}

TEST_F(WorkerStoreTest, WithoutAStoreNoMessageIsAcceptedAndEverythingElseGoesOn) {
    ::chmod(state.path().c_str(), 0755);
    Wire phone = udp_to(listen());
    const auto why = control->line_with("no message is accepted");
    EXPECT_NE(why.find("0700"), std::string::npos) << why;
    set_domain(peer(local_port(phone)));
    Wire stream = attach(listener, "capulet.test");
    control->line_with("\"up\"");

    phone.send(message_from_phone(local_port(phone), 1));
    const auto refused = final_response(phone);
    EXPECT_EQ(refused.rfind("SIP/2.0 503", 0), 0u) << refused;
    EXPECT_NE(refused.find("Retry-After"), std::string::npos) << refused;
    stream.send("<message from='romeo@montague.test/orchard' to='juliet@capulet.test' id='m1'><body>soft</body></message>");
    const auto error = stream.read_until("</message>");
    EXPECT_NE(error.find("<resource-constraint"), std::string::npos) << error;
    stream.send("<iq type='get' from='romeo@montague.test/a' to='capulet.test' id='p1'><ping xmlns='urn:xmpp:ping'/></iq>");
    EXPECT_EQ(attribute(stream.read_until("/>"), "type"), "result");

    ::chmod(state.path().c_str(), 0700);
    set_engine();
    control->line_with("store opened");
    // Until its rows are read nothing is accepted yet.
    for (int tries = 0; status("stored") != 1; ++tries) {
        ASSERT_LT(tries, 50);
        stream.send("<message from='romeo@montague.test/orchard' to='juliet@capulet.test' id='m2'><body>softer</body></message>");
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
    EXPECT_NE(phone.read_until("softer").find("MESSAGE sip:juliet@capulet.test"), std::string::npos);
}

TEST_F(WorkerStoreTest, AStoreThatAnotherWorkerHoldsIsOpenedWhenThatOneIsGone) {
    boost::asio::io_context loop;
    auto other = store::SqliteStore::open(loop, {.path = store_path()}).value();
    set_engine();
    const auto why = control->line_with("no message is accepted");
    EXPECT_NE(why.find("another worker"), std::string::npos) << why;
    other.reset();
    control->line_with("store opened");  // by itself
}

TEST_F(WorkerStoreTest, ADamagedRowIsToldAndLeftAndTheOthersAreDelivered) {
    stop();
    put({{"a", accepted_row("first")}, {"b", "{broken"}, {"c", accepted_row("third")}});
    start();
    listen();
    set_domain(peer(5999));
    const auto line = control->line_with("cannot be read");
    EXPECT_NE(line.find("1 rows"), std::string::npos) << line;
    Wire stream = attach(listener, "capulet.test");
    EXPECT_EQ(attribute(stream.read_until("</message>"), "id"), "first");
    EXPECT_EQ(attribute(stream.read_until("</message>"), "id"), "third");
}

TEST_F(WorkerStoreTest, ADomainThatComesBackHasItsMessages) {
    stop();
    put({{"a", accepted_row("kept")}});
    start();
    listen();
    set_domain(peer(5999));
    Wire stream = attach(listener, "capulet.test");
    EXPECT_EQ(attribute(stream.read_until("</message>"), "id"), "kept");
    control->send(R"({"t":"domain-remove","domain":"capulet.test"})"
                  "\n");
    set_domain(peer(5999));  // at once: it waits for the end of the one before
    stream.read_until("</stream:stream>");
    stream.close();
    control->line_with("\"removed\"");
    Wire again = attach(listener, "capulet.test");
    EXPECT_EQ(attribute(again.read_until("</message>"), "id"), "kept");
}

// The phone has the message and says nothing of it.
TEST_F(WorkerStoreTest, OnlyADomainThatIsGoneForGoodTellsTheAuthors) {
    Wire phone = udp_to(listen());
    for (const bool keep : {true, false}) {
        set_domain(peer(local_port(phone)));
        Wire stream = attach(listener, "capulet.test");
        if (keep)
            stream.send("<message from='romeo@montague.test/o' to='juliet@capulet.test' id='m1'><body>soft</body></message>");
        phone.read_until("soft");  // the second time out of the store
        control->send(R"({"t":"domain-remove","domain":"capulet.test","for_good":)" + std::string(keep ? "false" : "true") + "}\n");
        if (!keep) {
            const auto error = stream.read_until("</message>");
            EXPECT_EQ(attribute(error, "type"), "error") << error;
            answer_ping(stream, stream.read_until("</iq>"));  // the server has it: nothing of it is kept
        }
        const auto last = stream.read_until("</stream:stream>");
        EXPECT_EQ(last.find("type='error'"), last.npos) << last;
        stream.close();
        control->line_with("\"removed\"");
    }
    set_domain(peer(local_port(phone)));
    attach(listener, "capulet.test");
    EXPECT_EQ(status("stored"), 0);
}

}  // namespace
