// Delivery notifications, isComposing, and the time stamps in them.

#include "mapping/im/imdn.h"
#include "mapping/im/is_composing.h"
#include "mapping/im/timestamps.h"

#include <gtest/gtest.h>

namespace stox::im {

namespace {

std::string document(const std::string& inside) {
    return "<?xml version='1.0' encoding='UTF-8'?><imdn xmlns='urn:ietf:params:xml:ns:imdn'>" + inside + "</imdn>";
}

const std::string kHead = "<message-id>34jk</message-id><datetime>2006-04-04T12:16:49-05:00</datetime>";

std::string utc(std::string_view text) {
    const auto time = read_time(text);
    return time ? write_time(*time) : "(none)";
}

std::string sip_date(std::string_view text) {
    const auto time = read_sip_date(text);
    return time ? write_time(*time) : "(none)";
}

}  // namespace

TEST(Imdn, IM_41_IM_42_EveryStatusIsRead) {
    const std::tuple<std::string, std::string, Disposition, DispositionStatus> rows[] = {
        {"delivery", "delivered", Disposition::delivery, DispositionStatus::delivered},
        {"delivery", "failed", Disposition::delivery, DispositionStatus::failed},
        {"delivery", "forbidden", Disposition::delivery, DispositionStatus::forbidden},
        {"delivery", "error", Disposition::delivery, DispositionStatus::error},
        {"display", "displayed", Disposition::display, DispositionStatus::displayed},
        {"display", "forbidden", Disposition::display, DispositionStatus::forbidden},
        {"display", "error", Disposition::display, DispositionStatus::error},
        {"processing", "processed", Disposition::processing, DispositionStatus::processed},
        {"processing", "stored", Disposition::processing, DispositionStatus::stored},
        {"processing", "forbidden", Disposition::processing, DispositionStatus::forbidden},
        {"processing", "error", Disposition::processing, DispositionStatus::error},
    };
    for (const auto& [kind, status, disposition, known] : rows) {
        const auto imdn = read_imdn(
            document(kHead + "<" + kind + "-notification><status><" + status + "/></status></" + kind + "-notification>"));
        ASSERT_TRUE(imdn) << status;
        EXPECT_EQ(imdn.value(), (Imdn{"34jk", "2006-04-04T12:16:49-05:00", "", "", "", disposition, known})) << status;
        EXPECT_EQ(read_imdn(write_imdn(imdn.value())).value(), imdn.value());
    }
}

TEST(Imdn, IM_54_WhatNobodyKnowsIsIgnored) {
    for (const auto* inside : {"", "<delivery-notification/>", "<delivery-notification><status/></delivery-notification>",
                               "<delivery-notification><status><displayed/></status></delivery-notification>",
                               "<read-notification><status><delivered/></status></read-notification>",
                               "<delivery-notification><status><delivered xmlns='urn:x'/></status></delivery-notification>"})
        EXPECT_EQ(read_imdn(document(kHead + inside)).error().code, Code::unsupported) << inside;
    EXPECT_EQ(read_imdn(document("<delivery-notification><status><failed/></status></delivery-notification>")).error().code,
              Code::malformed);
    EXPECT_EQ(read_imdn("<imdn><message-id>x</message-id></imdn>").error().code, Code::malformed);
    const auto extended =
        read_imdn(document("<x xmlns='urn:x'/>" + kHead +
                           "<delivery-notification><status><y xmlns='urn:y'/><failed/></status></delivery-notification>"));
    EXPECT_EQ(extended.value().status, DispositionStatus::failed);
    EXPECT_EQ(read_disposition_request("positive-delivery, negative-delivery;x=y,display , processing, later"),
              (DispositionRequest{true, true, true}));
    EXPECT_EQ(read_disposition_request("processing, Positive-Delivery"), DispositionRequest{});
    EXPECT_EQ(read_disposition_request(""), DispositionRequest{});
    EXPECT_EQ(write_disposition_request({true, true, false}), "positive-delivery, negative-delivery");
    EXPECT_EQ(write_disposition_request({false, false, true}), "display");
}

TEST(Imdn, CORE_74_HostileXmlIsRefused) {
    EXPECT_EQ(read_imdn("<!DOCTYPE imdn [<!ENTITY a 'b'>]>" + document(kHead)).error().code, Code::forbidden);
    EXPECT_EQ(read_imdn(document(kHead + std::string(20'000, ' '))).error().code, Code::too_large);
    std::string deep, wide;
    for (int i = 0; i < 20; ++i) deep += "<a>";
    for (int i = 0; i < 20; ++i) deep += "</a>";
    for (int i = 0; i < 100; ++i) wide += "<a/>";
    EXPECT_EQ(read_imdn(document(deep)).error().code, Code::too_large);
    EXPECT_EQ(read_imdn(document(wide)).error().code, Code::too_large);
    EXPECT_EQ(read_imdn(document("<message-id>\xFF</message-id>")).error().code, Code::malformed);
    EXPECT_EQ(read_is_composing("<!DOCTYPE a><a/>").error().code, Code::forbidden);
}

TEST(Imdn, TextOfOthersIsEscaped) {
    const Imdn imdn{
        "a<b>&\"'", "</datetime>", "sip:a@b?<x>", "sip:c@d", "s]]>", Disposition::display, DispositionStatus::displayed};
    EXPECT_EQ(read_imdn(write_imdn(imdn)).value(), imdn);
    auto alone = imdn;
    alone.recipient_uri.clear();
    EXPECT_EQ(write_imdn(alone).find("original-recipient-uri"), std::string::npos);
}

TEST(IsComposing, IM_28_StatesAndRefresh) {
    const auto read = [](const std::string& inside) {
        return read_is_composing("<isComposing xmlns='urn:ietf:params:xml:ns:im-iscomposing'>" + inside + "</isComposing>");
    };
    EXPECT_EQ(read("<state>active</state><refresh>90</refresh>").value(), (IsComposing{true, 90}));
    EXPECT_EQ(read("<state> active\n</state>").value(), (IsComposing{true, 120}));
    EXPECT_EQ(read("<state>idle</state><contenttype>audio</contenttype>").value(), (IsComposing{false, 120}));
    EXPECT_FALSE(read("<state>thinking</state>").value().active);
    EXPECT_EQ(read("<state>active</state><refresh>1</refresh>").value().refresh_s, 60u);
    EXPECT_EQ(read("<state>active</state><refresh>4000000000</refresh>").value().refresh_s, 3'600u);
    EXPECT_EQ(read("<state>active</state><refresh>soon</refresh>").value().refresh_s, 120u);
    EXPECT_EQ(read("").error().code, Code::malformed);
    EXPECT_EQ(read_is_composing("<isComposing><state>active</state></isComposing>").error().code, Code::malformed);
    for (const auto& status : {IsComposing{true, 90}, IsComposing{false, 120}})
        EXPECT_EQ(read_is_composing(write_is_composing(status)).value(), status);
}

TEST(Timestamps, BothForms) {
    EXPECT_EQ(utc("2006-04-04T12:16:49-05:00"), "2006-04-04T17:16:49Z");
    EXPECT_EQ(utc("2026-01-01t00:30:00.999+01:00"), "2025-12-31T23:30:00Z");
    EXPECT_EQ(utc(" 2024-02-29T23:59:60Z "), "2024-02-29T23:59:59Z");
    EXPECT_EQ(read_time("1970-01-01T00:00:01.25Z")->time_since_epoch().count(), 1250);
    for (const auto* precise : {"2026-04-04T17:16:49.000Z", "2026-04-04T17:16:49.050Z", "2026-12-31T23:59:59.999Z"})
        EXPECT_EQ(write_precise_time(*read_time(precise)), precise);
    for (const auto* none :
         {"", "2006-04-04", "2006-04-04T12:16:49", "2023-02-29T00:00:00Z", "2006-13-01T00:00:00Z", "2006-04-04T24:00:00Z",
          "2006-04-04T12:60:00Z", "2006-04-04T12:16:49.Z", "2006-04-04T12:16:49Zx", "1969-12-31T23:59:59Z", "20060404T121649Z",
          "2006-04-04T12:16:49+5:00", "1970-01-01T00:59:59+01:00", "9999-12-31T23:00:00-01:00", "+006-04-04T12:16:49Z"})
        EXPECT_EQ(utc(none), "(none)") << none;
    EXPECT_EQ(sip_date("Sat, 13 Nov 2010 23:29:00 GMT"), "2010-11-13T23:29:00Z");
    EXPECT_EQ(sip_date("xxx, 01 jan 1970 00:00:00 gmt"), "1970-01-01T00:00:00Z");
    const std::string months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    for (std::size_t i = 0; i < std::size(months); ++i) {
        const auto number = (i < 9 ? "0" : "") + std::to_string(i + 1);
        EXPECT_EQ(sip_date("Sat, 13 " + months[i] + " 2010 23:29:00 GMT"), "2010-" + number + "-13T23:29:00Z");
    }
    for (const auto* none : {"", "Sat", "Sat, 13 Nov 2010 23:29:00", "Sat, 13 Nov 2010 23:29:00 CET",
                             "Sat, 31 Nov 2010 23:29:00 GMT", "Sat, 13 Foo 2010 23:29:00 GMT", "Sat, 13"})
        EXPECT_EQ(sip_date(none), "(none)") << none;
}

}  // namespace stox::im
