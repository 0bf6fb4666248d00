#include "mapping/xmpp/data_form.h"

#include "mapping/xml/reader.h"
#include "mapping/xml/writer.h"

#include <gtest/gtest.h>

namespace stox::xmpp {

namespace {

Result<DataForm> read(const std::string& inside, const std::string& type = "submit") {
    return decode_data_form(xml::read_document("<x xmlns='jabber:x:data' type='" + type + "'>" + inside + "</x>").value());
}

Code fault(const std::string& inside, const std::string& type = "submit") {
    const auto form = read(inside, type);
    EXPECT_FALSE(form) << inside;
    return form ? Code::unavailable : form.error().code;
}

}  // namespace

TEST(DataForm, AFormIsWrittenAsTheStandardSays) {
    DataForm form;
    form.title = "Ban a source";
    form.instructions = {"Nothing is heard from it."};
    FormField source{"source", FieldType::text_single, "Address", true, {}, {}};
    FormField length{"minutes", FieldType::list_single, {}, false, {"5"}, {{"five minutes", "5"}, {"", "60"}}};
    form.fields = {source, length};
    form.set_form_type("urn:x");
    EXPECT_EQ(
        xml::write(encode(form)),
        "<x xmlns='jabber:x:data' type='form'><title>Ban a source</title><instructions>Nothing is heard from it.</instructions>"
        "<field var='FORM_TYPE' type='hidden'><value>urn:x</value></field>"
        "<field var='source' type='text-single' label='Address'><required/></field>"
        "<field var='minutes' type='list-single'><value>5</value><option label='five minutes'><value>5</value></option>"
        "<option><value>60</value></option></field></x>");
    EXPECT_EQ(decode_data_form(encode(form)).value(), form);
}

TEST(DataForm, ATableHasItsColumnsFirst) {
    DataForm form;
    form.type = FormType::result;
    form.reported = {{"peer", FieldType::text_single, "Peer", false, {}, {}}, {"state", {}, {}, false, {}, {}}};
    form.items = {{{"peer", {}, {}, false, {"phones"}, {}}, {"state", {}, {}, false, {"up"}, {}}}};
    EXPECT_EQ(
        xml::write(encode(form)),
        "<x xmlns='jabber:x:data' type='result'><reported><field var='peer' type='text-single' label='Peer'/><field var='state'/>"
        "</reported><item><field var='peer'><value>phones</value></field><field "
        "var='state'><value>up</value></field></item></x>");
    EXPECT_EQ(decode_data_form(encode(form)).value(), form);
}

TEST(DataForm, WhatWasFilledInIsFoundByItsName) {
    const auto form =
        read("<field var='a'><value>1</value><value>2</value></field><field var='b'/><field type='fixed'/>").value();
    ASSERT_TRUE(form.value("a"));
    EXPECT_EQ(*form.value("a"), "1");
    EXPECT_FALSE(form.value("b"));
    EXPECT_FALSE(form.value("c"));
    EXPECT_EQ(read("<field var='a' type='unheard-of'/>").value().fields.at(0).type, FieldType::text_single);
}

TEST(DataForm, EveryWordOfTheStandardIsReadAndWritten) {
    for (const auto& [type, word] : std::vector<std::pair<FormType, std::string>>{{FormType::form, "form"},
                                                                                  {FormType::submit, "submit"},
                                                                                  {FormType::cancel, "cancel"},
                                                                                  {FormType::result, "result"}}) {
        DataForm form;
        form.type = type;
        EXPECT_EQ(xml::write(encode(form)), "<x xmlns='jabber:x:data' type='" + word + "'/>");
        EXPECT_EQ(read("", word).value().type, type);
    }
    const std::vector<std::pair<FieldType, std::string>> types{
        {FieldType::boolean, "boolean"},         {FieldType::fixed, "fixed"},           {FieldType::hidden, "hidden"},
        {FieldType::jid_multi, "jid-multi"},     {FieldType::jid_single, "jid-single"}, {FieldType::list_multi, "list-multi"},
        {FieldType::list_single, "list-single"}, {FieldType::text_multi, "text-multi"}, {FieldType::text_private, "text-private"},
        {FieldType::text_single, "text-single"}};
    for (const auto& [type, word] : types) {
        const auto form = read("<field var='a' type='" + word + "'/>").value();
        EXPECT_EQ(form.fields.at(0).type, type);
        EXPECT_NE(xml::write(encode(form)).find(" type='" + word + "'"), std::string::npos);
    }
}

TEST(DataForm, WhatCannotBeReadIsRefused) {
    EXPECT_EQ(fault("", "unheard-of"), Code::malformed);
    EXPECT_EQ(fault("<field><value>1</value></field>"), Code::malformed);
    EXPECT_EQ(fault("<field var='a'/><field var='a'/>"), Code::malformed);
    EXPECT_EQ(fault("<field var='a'><option label='x'/></field>"), Code::malformed);
    EXPECT_FALSE(decode_data_form(xml::Element("urn:x", "x")));
    EXPECT_FALSE(decode_data_form(xml::Element("jabber:x:data", "x"))) << "without a type";
}

TEST(DataForm, WhatIsReadHasLimits) {
    std::string fields;
    for (std::size_t n = 0; n < DataForm::kMaxFields; ++n) fields += "<field var='f" + std::to_string(n) + "'/>";
    EXPECT_TRUE(read(fields));
    EXPECT_EQ(fault(fields + "<field var='one more'/>"), Code::too_large);
    const auto value = [](std::size_t octets) {
        return "<field var='a'><value>" + std::string(octets, 'x') + "</value></field>";
    };
    EXPECT_TRUE(read(value(DataForm::kMaxOctets - 1)));
    EXPECT_EQ(fault(value(DataForm::kMaxOctets)), Code::too_large);
}

}  // namespace stox::xmpp
