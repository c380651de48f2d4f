// Mail engines and runs of spamming botnets, as far as public text describes them; written anew for this project.
//
// Almost all are historic: the published half-life of such a fingerprint is two to four years, so every rule has
// dates, and outside them a match counts nothing. A rule whose source names the botnet with doubt has a
// confidence at which it is shown and never decides. Current families are learned from lab mail (`spamtide learn`).
//
// Header names are written out in each letter case: a pattern that starts with a fixed text costs a quarter of one
// that does not. Left out for that reason: the hash buster of Send-Safe (SpamAssassin RATWARE_HASH_DASH), which has
// no fixed text at all, would cost more than all other rules here, and is too vague to decide anything.

rule srizbi_reactor_mailer
{
    meta:
        kind       = "botnet"
        name       = "Srizbi"
        layer      = "skeleton"
        confidence = 95
        valid_from = "2007-01-01"
        expires    = "2008-12-31"
        author     = "Spamtide"
        reference  = "https://github.com/apache/spamassassin/blob/f7fe7b82/rulesrc/sandbox/jm/20_basic.cf"
        note       = "Reactor Mailer; described by SecureWorks and in SpamAssassin JM_REACTOR_MAILER. One fixed build of a mail program is claimed beside a MIME library that never came with it."
    strings:
        $upper      = /header Message-ID: <000[^@>\n]{1,60}@[0-9a-z]{1,40}>/
        $lower      = /header Message-Id: <000[^@>\n]{1,60}@[0-9a-z]{1,40}>/
        $mailer     = /header X-Mailer: Microsoft Outlook Express 6\.00\.(3790\.2663|2900\.3138)\n/
        $mimeole    = /header X-MimeOLE: [^\n]{0,60}V6\.00\.(3790\.2757|2900\.3198)/i
        $zone       = /header Date: [^\n]{10,40} \+0000/
    condition:
        ($upper or $lower) and $mailer and $mimeole and $zone
}

rule srizbi_caught_you
{
    meta:
        kind       = "botnet"
        name       = "Srizbi"
        layer      = "template"
        confidence = 92
        valid_from = "2008-04-01"
        expires    = "2008-12-31"
        author     = "Spamtide"
        reference  = "http://www.marketwired.com/press-release/marshal-identifies-new-spam-trick-that-claims-we-caught-you-naked-846177.htm"
    strings:
        $subject = /subject: we caught you naked [^\n]{1,64}! check the video/i
    condition:
        $subject
}

rule storm_message_id
{
    meta:
        kind       = "botnet"
        name       = "Storm"
        layer      = "skeleton"
        confidence = 95
        valid_from = "2007-01-01"
        expires    = "2008-12-31"
        author     = "Spamtide"
        reference  = "https://github.com/apache/spamassassin/blob/f7fe7b82/rulesrc/sandbox/jm/20_storm.cf"
        note       = "Shape described in SpamAssassin JM_MID_STORM: a capital, seven digits, eight letters, a slash, a time stamp of fourteen digits."
    strings:
        $upper = /header Message-ID: <[A-Z][0-9]{7}[A-Za-z]{8}\/200[0-9]{11}[A-Z]\+[0-9]@/
        $lower = /header Message-Id: <[A-Z][0-9]{7}[A-Za-z]{8}\/200[0-9]{11}[A-Z]\+[0-9]@/
    condition:
        any of them
}

rule bobax_message_id_upper
{
    meta:
        kind       = "botnet"
        name       = "Bobax"
        layer      = "skeleton"
        confidence = 45
        valid_from = "2008-01-01"
        expires    = "2010-06-30"
        author     = "Spamtide"
        reference  = "https://github.com/apache/spamassassin/commit/93c84597d"
        note       = "SpamAssassin HS_BOBAX_MID_1, named with a question mark by its author: shown, never decides."
    strings:
        $upper = /header Message-ID: <[0-9]{4}[A-Z][0-9]{3}\.[0-9]{6}\.[0-9]{5}@[A-Z]{4}>/
        $lower = /header Message-Id: <[0-9]{4}[A-Z][0-9]{3}\.[0-9]{6}\.[0-9]{5}@[A-Z]{4}>/
    condition:
        any of them
}

rule bobax_message_id_fixed
{
    meta:
        kind       = "botnet"
        name       = "Bobax"
        layer      = "skeleton"
        confidence = 45
        valid_from = "2008-01-01"
        expires    = "2010-06-30"
        author     = "Spamtide"
        reference  = "https://github.com/apache/spamassassin/commit/93c84597d"
        note       = "SpamAssassin HS_BOBAX_MID_2, likewise with a question mark; hit 0.060 % of spam and no ham in 2009."
    strings:
        $upper = /header Message-ID: <[0-9]IX[0-9]{3}EJXVWDA[0-9]{3}@[^ >\n]{1,255}>/
        $lower = /header Message-Id: <[0-9]IX[0-9]{3}EJXVWDA[0-9]{3}@[^ >\n]{1,255}>/
    condition:
        any of them
}

rule rustock_news_2008
{
    meta:
        kind       = "botnet"
        name       = "Rustock"
        layer      = "skeleton"
        confidence = 93
        valid_from = "2008-08-01"
        expires    = "2008-10-31"
        author     = "Spamtide"
        reference  = "https://github.com/apache/spamassassin/blob/f7fe7b82/rulesrc/sandbox/jm/20_basic.cf"
        note       = "The false MSNBC and CNN alerts: SpamAssassin MSNBC_HDR_ORDER, MSNBC_THREAD_INDEX, MSNBC_MESSAGEGUID."
    strings:
        $order   = "Content-Transfer-Encoding,X-Mailer,Content-Class,Importance,Priority,X-MimeOLE" nocase
        $mailer  = "header X-Mailer: Microsoft CDO for Windows 2000"
        $mimeole = /header X-MimeOLE: [^\n]{0,60}V6\.00\.3790\.3119/i
        $guid    = /header messageGUID: /i
        $thread  = /header thread-index: /i
    condition:
        $order and $mailer and $mimeole and ($guid or $thread)
}

rule rustock_discount_2011
{
    meta:
        kind       = "botnet"
        name       = "Rustock"
        layer      = "template"
        confidence = 92
        valid_from = "2011-01-10"
        expires    = "2011-03-31"
        author     = "Spamtide"
        reference  = "https://www.ibtimes.com/rustock-mega-botnet-returns-after-vacation-253697"
    strings:
        $subject = /subject: Dear [^ \n]{1,64} -[0-9]{2}% now/i
        $shop    = /link: https?:\/\/[^\/\n]{1,200}\.ru[\/\n]/i
    condition:
        all of them
}

rule necurs_coupon_2018
{
    meta:
        kind       = "botnet"
        name       = "Necurs"
        layer      = "template"
        confidence = 60
        valid_from = "2018-02-01"
        expires    = "2018-04-30"
        author     = "Spamtide"
        reference  = "https://pastebin.com/UQKsJGMj"
        note       = "Its author: 'what I think is' Necurs. The PDF, whose name repeats the number, is not in the text that rules see."
    strings:
        $subject = /subject: (Discount|Coupon|Sale|Final sale|Offer) [0-9]{7}\n/
        $from    = /header From: "?[A-Za-z]{2,30}"? <[A-Za-z]{2,30}@gmail\.com>/
    condition:
        all of them
}

rule phorpiex_jenny_2024
{
    meta:
        kind       = "botnet"
        name       = "Phorpiex"
        layer      = "template"
        confidence = 93
        valid_from = "2024-04-01"
        expires    = "2024-07-31"
        author     = "Spamtide"
        reference  = "https://www.purevpn.com/blog/news/phorpiex-botnet-sends-millions-of-emails-in-lockbit-black-ransomware-attack"
    strings:
        $from    = /header From: "?Jenny (Brown|Green)"? ?</i
        $subject = /subject: (your document|photo of you\?{1,5})/i
    condition:
        all of them
}

rule dark_mailer_helo
{
    meta:
        kind       = "botnet"
        name       = "Dark Mailer"
        layer      = "dialect"
        confidence = 92
        valid_from = "2003-01-01"
        expires    = "2014-12-31"
        author     = "Spamtide"
        reference  = "https://github.com/apache/spamassassin/blob/f7fe7b82/rules/20_ratware.cf"
        note       = "SpamAssassin RATWARE_HELO_DM. Bulk-mail software, listed beside the botnets in published rankings."
    strings:
        $helo = "\nhelo: DM\n"
    condition:
        $helo
}
