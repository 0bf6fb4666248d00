// What is kept is counted as it is kept, and bounded; what is accepted fits wherever it has to go.   (contract 6)

#include "mapping/xml/limits.h"
#include "mapping/xml/writer.h"
#include "mapping/xmpp/namespaces.h"
#include "plugin/engine/commits.h"
#include "plugin/engine/inbox.h"
#include "plugin/engine/message_queue.h"
#include "plugin/engine/row_size.h"
#include "tests/engine/rig.h"

namespace {

using namespace stox;
using namespace stox::engine;
using namespace stox::engine::test;
using namespace std::chrono_literals;
using xmpp::Condition;

std::size_t octets_on(const std::vector<Record>& disk) {
    std::size_t octets = 0;
    for (const auto& record : disk) octets += size_of(record.value).row;
    return octets;
}

/// An element that nothing here reads.
xml::Element padding(std::size_t octets) {
    xml::Element element("urn:example:padding", "padding");
    element.add_text(std::string(octets, 'x'));
    return element;
}

/// Rows that take so much in the store, to the octet, most of it in what no reader sees.
std::vector<Record> inbox_rows(std::size_t octets) {
    std::vector<Record> rows;
    for (std::size_t left = 100; left != 0; --left) {
        InboxRow row;
        row.stanza.from = {"juliet", "capulet.test", {}};
        row.stanza.to = {"romeo", "montague.test", {}};
        row.stanza.id = "id" + std::to_string(left);
        row.stanza.payload = {padding(1)};
        row.stanza.payload = {padding(1 + octets / left - size_of(row).row)};
        octets -= size_of(row).row;
        rows.push_back({Collection::inbox, "key" + std::to_string(left), row});
    }
    return rows;
}

TEST(Bounds, CORE_05_WithoutStream64MebibytesAreKeptWhateverTheyHold) {
    const auto request = message_request(std::string(9'000, 'x'));
    Rig measure;
    measure.request(request);
    const auto size = size_of(measure.disk.at(0).value).row + kChatStateOctets;
    Rig rig(Rig::default_options(), false);
    rig.feed(Restored{inbox_rows(Inbox::kOctets - size)});
    auto longer = request;
    longer.body += 'x';
    EXPECT_EQ(rig.request(longer).answer().status, 503);
    EXPECT_EQ(rig.request(request).answer().status, 202);
    EXPECT_EQ(rig.request(message_request()).answer().status, 503);
}

xmpp::Message padded(int number, const std::string& contact) {
    auto message = message_stanza("m" + std::to_string(number));
    message.to.local = contact;
    message.payload.push_back(padding(200'000));
    return message;
}

TEST(Bounds, CORE_77_PaddingForSilentContactsCounts) {
    Rig rig;
    int taken = 0;
    for (; taken < 1'000; ++taken)
        if (!rig.stanza(padded(taken, "contact" + std::to_string(taken / 51))).stanzas.empty()) break;
    EXPECT_EQ(rig.error().condition, Condition::resource_constraint);
    EXPECT_LE(octets_on(rig.disk), MessageQueue::kOctetsInAll);
    EXPECT_GT(octets_on(rig.disk), MessageQueue::kOctetsInAll - 250'000);
    EXPECT_EQ(rig.disk.size(), static_cast<std::size_t>(taken));
}

TEST(Bounds, IM_14_WhatFailedCountsUntilItsAuthorSurelyKnows) {
    Rig rig;
    int taken = 0;
    for (; taken < 1'000; ++taken) {
        if (rig.stanza(padded(taken, "juliet")).sent.empty()) break;
        rig.sip_response(rig.sent.at(0).transaction, 404);
        ASSERT_EQ(rig.error().condition, Condition::item_not_found);
    }
    EXPECT_EQ(rig.error().condition, Condition::resource_constraint) << "the server took none of these errors for sure";
    EXPECT_LE(octets_on(rig.disk), MessageQueue::kOctetsInAll);
    rig.answer_ping();
    rig.pass(Commits::kRideAfter);
    EXPECT_EQ(rig.stanza(padded(taken, "juliet")).sent.size(), 1u);
}

TEST(Bounds, IM_14_AnErrorThatIsWrittenDownTakesWhatItsOwnRowTakes) {
    Rig rig;
    int taken = 0;
    for (; taken < 1'000; ++taken) {
        if (rig.stanza(padded(taken, "juliet")).sent.empty()) break;
        rig.sip_response(rig.sent.at(0).transaction, 404);
    }
    rig.feed(StreamDown{});
    rig.pass(Commits::kRideAfter);
    EXPECT_LT(octets_on(rig.disk), 1u << 20);
    EXPECT_EQ(rig.stanza(padded(taken, "juliet")).sent.size(), 1u);
}

/// A message whose subject takes so many octets as XML.
sip::Request with_subject(std::size_t octets) {
    auto request = message_request();
    request.headers.push_back({"Subject", std::string(octets / 5, '&') + std::string(octets % 5, 'x')});
    return request;
}

TEST(Bounds, CORE_75_WhatIsAcceptedFitsTheStreamWithAllThatIsAdded) {
    constexpr std::size_t kLimit = xml::Limits{}.stanza_octets;
    std::size_t accepted = 0, refused = 0, longest = 0;
    for (std::size_t octets = kLimit - 2'000; octets < kLimit; octets += 20) {
        Rig rig(Rig::default_options(), false);
        const auto status = rig.request(with_subject(octets)).answer().status;
        ++(status == 202 ? accepted : refused);
        if (status != 202) {
            EXPECT_EQ(status, 413);
            EXPECT_TRUE(rig.disk.empty());
            continue;
        }
        rig.feed(StreamUp{});
        const auto text = xml::write(xmpp::encode(xmpp::Stanza(rig.messages().at(0))), xmpp::kComponentNs);
        EXPECT_LE(text.size(), kLimit);
        longest = std::max(longest, text.size());
    }
    EXPECT_GT(accepted, 0u);
    EXPECT_GT(refused, 0u);
    EXPECT_GT(longest, kLimit - 200) << "and no less is taken than fits";
}

/// Its namespace is spelled out for each of its children when it is stored.
xmpp::Message spelled_out(const std::string& id, std::size_t children) {
    auto message = message_stanza(id);
    auto list = xml::Element("urn:example:list", "list");
    for (std::size_t i = 0; i < children; ++i) list.add(xml::Element("urn:" + std::string(1'000, 'n'), "n"));
    message.payload.push_back(std::move(list));
    return message;
}

TEST(Bounds, ARowThatNoStoreHoldsIsRefusedWhenItComes) {
    Rig rig;
    EXPECT_EQ(rig.stanza(spelled_out("m1", 1'000)).sent.size(), 1u);
    EXPECT_LE(octets_on(rig.disk), kMaxRowOctets);
    rig.stanza(spelled_out("m2", 1'050));
    EXPECT_EQ(rig.error().condition, Condition::policy_violation);
    EXPECT_EQ(rig.error().type, xmpp::ErrorType::modify);
    EXPECT_EQ(rig.disk.size(), 1u);
}

bool is_of(const RecordChange& change, const std::string& stanza) {
    const auto* row = change.value ? std::get_if<OutboxRow>(&*change.value) : nullptr;
    return row && row->stanza.id == stanza;
}

TEST(Bounds, ARowThatCannotBeWrittenFailsAloneAndForGood) {
    Rig rig;
    rig.unwritable = [](const RecordChange& change) { return is_of(change, "m1"); };
    rig.stanza(message_stanza("m1"));
    EXPECT_EQ(rig.error().condition, Condition::policy_violation) << "trying again is no use, so it must not say wait";
    EXPECT_EQ(rig.error().type, xmpp::ErrorType::modify);
    EXPECT_TRUE(rig.logged("a row that no store can hold"));
    EXPECT_EQ(rig.stanza(message_stanza("m2")).sent.size(), 1u);
    EXPECT_FALSE(rig.logged("messages cannot be stored")) << "there is room";

    rig.unwritable = [](const RecordChange& change) { return change.collection == Collection::inbox && change.value; };
    EXPECT_EQ(rig.request(message_request()).answer().status, 413);
}

TEST(Bounds, AnUpdateThatCannotBeWrittenIsGivenUpAndTheOthersAreWritten) {
    Rig rig;
    std::vector<ClientTransaction> transactions;
    for (int i = 0; i < 5; ++i) {
        auto message = message_stanza("m" + std::to_string(i));
        message.to.local = "contact" + std::to_string(i);
        transactions.push_back(rig.stanza(message).sent.at(0).transaction);
    }
    rig.unwritable = [](const RecordChange& change) { return is_of(change, "m3"); };
    rig.feed(StreamDown{});
    for (const auto transaction : transactions) rig.sip_response(transaction, 404);
    rig.pass(Commits::kRideAfter);
    EXPECT_EQ(rig.commits.size(), 1u);
    rig.pass(Commits::kTryAgain);
    EXPECT_EQ(rig.commits.size(), 5u) << "each by itself";
    for (const auto& record : rig.disk) {
        const auto& row = std::get<OutboxRow>(record.value);
        EXPECT_EQ(row.owed.has_value(), row.stanza.id != "m3");
    }
    EXPECT_FALSE(rig.engine.next_timeout()) << "and never again";
}

/// Numbers as addresses, and a line for those who need help.
config::DomainOptions with_emergency_line() {
    auto options = Rig::default_options();
    options.scheme = config::AddressScheme::phone;
    options.peers.front().kind = config::PeerKind::trunk;
    options.emergency_line = options.peers.front().name;
    return options;
}

xmpp::Message to_number(const char* number) {
    auto message = message_stanza();
    message.to.local = number;
    return message;
}

TEST(Bounds, CORE_36_CallsForHelpHaveABoundOfTheirOwn) {
    Rig rig(with_emergency_line());
    rig.stores = false;
    for (std::size_t i = 0; i < MessageQueue::kEmergencies; ++i)
        ASSERT_TRUE(rig.stanza(to_number("112")).stanzas.empty()) << i;
    rig.stanza(to_number("112"));
    EXPECT_EQ(rig.error().condition, Condition::resource_constraint);
    EXPECT_TRUE(rig.stanza(to_number("+4930")).stanzas.empty()) << "nobody else is held up by them";
}

TEST(Bounds, CORE_36_CallsForHelpThatFailedCountAsWell) {
    Rig rig(with_emergency_line());
    for (std::size_t i = 0; i < MessageQueue::kEmergencies; ++i)
        rig.sip_response(rig.stanza(to_number("112")).sent.at(0).transaction, 404);
    rig.stanza(to_number("112"));
    EXPECT_EQ(rig.error().condition, Condition::resource_constraint);
    rig.answer_ping();
    EXPECT_EQ(rig.stanza(to_number("112")).sent.size(), 1u);
}

}  // namespace
