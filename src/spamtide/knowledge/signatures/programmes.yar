// Brands that spam prints, as answers to "what does it advertise".
//
// Where the published record ties a brand to one programme with high confidence, the rule answers with the
// programme; otherwise with the brand itself, which is what the mail shows (knowledge.yaml has the relations).
// A brand of common words also needs a link beside it. Rules of a period in which a programme ran have dates;
// after it the brand itself is the answer. A programme's own name is rare in mail, and said by affiliates.
// In every rule, wording counts in disguise too (docs/path/attribution.md).

private rule has_link
{
    strings:
        $link = /link: https?:\/\//
    condition:
        $link
}

rule canadian_pharmacy
{
    meta:
        kind       = "programme"
        name       = "Canadian Pharmacy"
        confidence = 88
        author     = "Spamtide"
        reference  = "http://labs.m86security.com/2010/10/spam-volumes-drop-after-spamit-shakeup/"
        note       = "The brand of SpamIt and of GlavMed: the mail does not tell which."
    strings:
        $brand  = /Canadian[ -]?Pharmacy/ fullword
        $upper  = /CANADIAN[ -]?PHARMACY/ fullword
        $mine   = /my canadian ?pharmacy/i
    condition:
        has_link and ($brand or $upper) and not $mine
}

rule my_canadian_pharmacy
{
    meta:
        kind       = "programme"
        name       = "My Canadian Pharmacy"
        confidence = 88
        author     = "Spamtide"
        reference  = "http://blogs.cisco.com/security/largest-fake-pharmacy-spam-affiliate-program-closes/"
    strings:
        $brand = /my canadian ?pharmacy/i
    condition:
        has_link and $brand
}

rule canadian_health_care_mall
{
    meta:
        kind       = "programme"
        name       = "Canadian Health&Care Mall"
        confidence = 92
        author     = "Spamtide"
        reference  = "http://blog.legitscript.com/2009/10/industry-trends-evapharmacy-33drugs-drugrevenue-emerge-as-major-internet-threats/"
    strings:
        $brand = /canadian health ?(&|and) ?care mall/i
    condition:
        $brand
}

rule spamit_brands
{
    meta:
        kind       = "programme"
        name       = "SpamIt"
        confidence = 85
        valid_from = "2007-01-01"
        expires    = "2010-12-31"
        author     = "Spamtide"
        reference  = "http://www.safemedicines.org/2011/01/worldwide-rogue-pharmacy-spam-drops-113.html"
    strings:
        $united   = /United Pharmacy/ fullword
        $european = /European Pharmacy/ fullword
    condition:
        has_link and any of them
}

rule affking_brands
{
    meta:
        kind       = "programme"
        name       = "AffKing"
        confidence = 92
        valid_from = "2005-01-01"
        expires    = "2008-12-31"
        author     = "Spamtide"
        reference  = "https://www.legitscript.com/blog/2008/10/ftc-affking-and-some-thoughts-about-affiliate-networks/"
    strings:
        $king      = "Herbal King" nocase fullword
        $express   = "Express Herbals" nocase fullword
        $wholesale = "Worldwide Wholesale Pharmacy" nocase fullword
        $vpxl      = "VPXL" fullword
    condition:
        any of them
}

rule vpxl_after_affking
{
    meta:
        kind       = "programme"
        name       = "VPXL"
        confidence = 85
        valid_from = "2009-01-01"
        author     = "Spamtide"
        reference  = "https://www.legitscript.com/blog/2008/10/ftc-affking-and-some-thoughts-about-affiliate-networks/"
        note       = "The brand outlived the programme's closure; whose it was afterwards is not published."
    strings:
        $vpxl = "VPXL" fullword
    condition:
        has_link and $vpxl
}

rule pharmacy_express
{
    meta:
        kind       = "programme"
        name       = "Pharmacy Express"
        confidence = 88
        author     = "Spamtide"
        reference  = "https://nakedsecurity.sophos.com/2011/03/24/one-week-later-rustock-and-pharmacy-express-still-flatlined/"
    strings:
        $brand = /Pharmacy ?Express/ fullword
        $upper = /PHARMACY ?EXPRESS/ fullword
    condition:
        has_link and any of them
}

rule us_drugs
{
    meta:
        kind       = "programme"
        name       = "US Drugs"
        confidence = 82
        author     = "Spamtide"
        reference  = "http://garwarner.blogspot.com/2010/10/with-glavmed-gone-who-is-king-of-pharm.html"
    strings:
        $brand = /(US|U\.S\.) ?Drugs/ fullword
    condition:
        has_link and $brand
}

rule wikipharmacy
{
    meta:
        kind       = "programme"
        name       = "WikiPharmacy"
        confidence = 95
        valid_from = "2011-01-01"
        author     = "Spamtide"
        reference  = "https://www.cso.com.au/article/392184/drug_spam_rules_thanks_wikipharmacy_symantec/"
    strings:
        $brand = /wiki ?pharmacy/i
    condition:
        $brand
}

rule canadian_rx_drugs
{
    meta:
        kind       = "programme"
        name       = "Canadian RX Drugs"
        confidence = 92
        author     = "Spamtide"
        reference  = "https://www.helpnetsecurity.com/2010/05/06/canadian-pharmacy-no-longer-top-spammed-brand/"
    strings:
        $brand = /canadian ?rx ?drugs/i
    condition:
        $brand
}

rule ultimate_replicas
{
    meta:
        kind       = "programme"
        name       = "Ultimate Replicas"
        confidence = 88
        author     = "Spamtide"
        reference  = "http://www.infosecurity-magazine.com/view/13239/spam-volumes-are-dropping-at-last/"
    strings:
        $brand = /ultimate ?replicas?/i fullword
    condition:
        has_link and $brand
}

rule king_replica
{
    meta:
        kind       = "programme"
        name       = "King Replica"
        confidence = 88
        author     = "Spamtide"
        reference  = "http://www.webpronews.com/spammers-celebrate-fathers-day-in-your-inbox-2008-06/"
    strings:
        $brand = /king ?replicas?/i fullword
    condition:
        has_link and $brand
}

rule maxgentleman
{
    meta:
        kind       = "programme"
        name       = "MaxGentleman"
        confidence = 95
        author     = "Spamtide"
        reference  = "https://hotforsecurity.bitdefender.com/blog/the-spam-omelette-45-on-replica-watches-and-counterfeit-software-623.html"
    strings:
        $brand = /max ?gentleman/i
    condition:
        $brand
}

rule rx_promotion
{
    meta:
        kind       = "programme"
        name       = "Rx-Promotion"
        confidence = 92
        valid_from = "2007-01-01"
        author     = "Spamtide"
        reference  = "https://krebsonsecurity.com/2011/09/pharma-wars-paying-for-prosecution/"
    strings:
        $brand = /rx-?promotion/i fullword
    condition:
        has_link and $brand
}

rule affking_generic_brands
{
    meta:
        kind       = "programme"
        name       = "AffKing"
        confidence = 82
        valid_from = "2005-01-01"
        expires    = "2008-12-31"
        author     = "Spamtide"
        reference  = "https://www.legitscript.com/blog/2008/10/ftc-affking-and-some-thoughts-about-affiliate-networks/"
        note       = "Common words: they count in capitals, beside a link, in the programme's time."
    strings:
        $a = /(Canadian Healthcare|Canadian Drugstore)/ fullword
        $b = /(Target|Direct) Pharmacy/ fullword
    condition:
        has_link and any of them
}

rule herbal_king_later
{
    meta:
        kind       = "programme"
        name       = "Herbal King"
        confidence = 88
        valid_from = "2009-01-01"
        author     = "Spamtide"
        reference  = "https://www.legitscript.com/blog/2008/10/ftc-affking-and-some-thoughts-about-affiliate-networks/"
        note       = "The brand as such: whose it was by then is not published."
    strings:
        $a = "Herbal King" nocase fullword
    condition:
        has_link and any of them
}

rule express_herbals_later
{
    meta:
        kind       = "programme"
        name       = "Express Herbals"
        confidence = 88
        valid_from = "2009-01-01"
        author     = "Spamtide"
        reference  = "https://www.legitscript.com/blog/2008/10/ftc-affking-and-some-thoughts-about-affiliate-networks/"
        note       = "The brand as such: whose it was by then is not published."
    strings:
        $a = "Express Herbals" nocase fullword
    condition:
        has_link and any of them
}

rule worldwide_wholesale_pharmacy_later
{
    meta:
        kind       = "programme"
        name       = "Worldwide Wholesale Pharmacy"
        confidence = 88
        valid_from = "2009-01-01"
        author     = "Spamtide"
        reference  = "https://www.legitscript.com/blog/2008/10/ftc-affking-and-some-thoughts-about-affiliate-networks/"
        note       = "The brand as such: whose it was by then is not published."
    strings:
        $a = "Worldwide Wholesale Pharmacy" nocase fullword
    condition:
        has_link and any of them
}

rule canadian_drugstore_later
{
    meta:
        kind       = "programme"
        name       = "Canadian Drugstore"
        confidence = 82
        valid_from = "2009-01-01"
        author     = "Spamtide"
        reference  = "https://www.legitscript.com/blog/2008/10/ftc-affking-and-some-thoughts-about-affiliate-networks/"
        note       = "The brand as such: whose it was by then is not published."
    strings:
        $a = "Canadian Drugstore" fullword
    condition:
        has_link and any of them
}

rule canadian_healthcare_later
{
    meta:
        kind       = "programme"
        name       = "Canadian Healthcare"
        confidence = 82
        valid_from = "2009-01-01"
        author     = "Spamtide"
        reference  = "https://www.legitscript.com/blog/2008/10/ftc-affking-and-some-thoughts-about-affiliate-networks/"
        note       = "The brand as such: whose it was by then is not published."
    strings:
        $a = "Canadian Healthcare" fullword
    condition:
        has_link and any of them
}

rule target_pharmacy_later
{
    meta:
        kind       = "programme"
        name       = "Target Pharmacy"
        confidence = 82
        valid_from = "2009-01-01"
        author     = "Spamtide"
        reference  = "https://www.legitscript.com/blog/2008/10/ftc-affking-and-some-thoughts-about-affiliate-networks/"
        note       = "The brand as such: whose it was by then is not published."
    strings:
        $a = "Target Pharmacy" fullword
    condition:
        has_link and any of them
}

rule direct_pharmacy_later
{
    meta:
        kind       = "programme"
        name       = "Direct Pharmacy"
        confidence = 82
        valid_from = "2009-01-01"
        author     = "Spamtide"
        reference  = "https://www.legitscript.com/blog/2008/10/ftc-affking-and-some-thoughts-about-affiliate-networks/"
        note       = "The brand as such: whose it was by then is not published."
    strings:
        $a = "Direct Pharmacy" fullword
    condition:
        has_link and any of them
}

rule united_pharmacy_later
{
    meta:
        kind       = "programme"
        name       = "United Pharmacy"
        confidence = 85
        valid_from = "2011-01-01"
        author     = "Spamtide"
        reference  = "http://www.safemedicines.org/2011/01/worldwide-rogue-pharmacy-spam-drops-113.html"
        note       = "The brand as such: whose it was by then is not published."
    strings:
        $a = /United Pharmacy/ fullword
    condition:
        has_link and any of them
}

rule european_pharmacy_later
{
    meta:
        kind       = "programme"
        name       = "European Pharmacy"
        confidence = 85
        valid_from = "2011-01-01"
        author     = "Spamtide"
        reference  = "http://www.safemedicines.org/2011/01/worldwide-rogue-pharmacy-spam-drops-113.html"
        note       = "The brand as such: whose it was by then is not published."
    strings:
        $a = /European Pharmacy/ fullword
    condition:
        has_link and any of them
}

rule named_warezcash
{
    meta:
        kind       = "programme"
        name       = "Warezcash"
        confidence = 92
        author     = "Spamtide"
        reference  = "https://readwrite.com/researchers_identify_notorious_botnet_operator_cod/"
    strings:
        $a = /warez ?cash/i fullword
    condition:
        has_link and any of them
}

rule named_drugrevenue
{
    meta:
        kind       = "programme"
        name       = "DrugRevenue"
        confidence = 88
        author     = "Spamtide"
        reference  = "http://blog.legitscript.com/2009/10/industry-trends-evapharmacy-33drugs-drugrevenue-emerge-as-major-internet-threats/"
    strings:
        $a = /33 ?drugs/i fullword
        $b = /drug ?revenue/i fullword
    condition:
        has_link and any of them
}

rule named_rxpayouts
{
    meta:
        kind       = "programme"
        name       = "RxPayouts"
        confidence = 88
        author     = "Spamtide"
        reference  = "http://blog.legitscript.com/2009/10/industry-trends-evapharmacy-33drugs-drugrevenue-emerge-as-major-internet-threats/"
    strings:
        $a = /rx ?payouts/i fullword
    condition:
        has_link and any of them
}

rule named_evapharmacy
{
    meta:
        kind       = "programme"
        name       = "EvaPharmacy"
        confidence = 88
        author     = "Spamtide"
        reference  = "http://blog.legitscript.com/2009/10/industry-trends-evapharmacy-33drugs-drugrevenue-emerge-as-major-internet-threats/"
    strings:
        $a = /eva ?pharmacy/i fullword
    condition:
        has_link and any of them
}

rule named_bulker_biz
{
    meta:
        kind       = "programme"
        name       = "Bulker.biz"
        confidence = 88
        author     = "Spamtide"
        reference  = "http://blogs.cisco.com/security/largest-fake-pharmacy-spam-affiliate-program-closes/"
    strings:
        $a = /bulker\.biz/i fullword
    condition:
        has_link and any of them
}

rule named_glavmed
{
    meta:
        kind       = "programme"
        name       = "GlavMed"
        confidence = 88
        author     = "Spamtide"
        reference  = "http://www.theregister.com/2009/09/25/dodgy_pharma_spam_economics"
    strings:
        $a = /glavmed/i fullword
    condition:
        has_link and any of them
}

rule named_stimul_cash
{
    meta:
        kind       = "programme"
        name       = "Stimul-cash"
        confidence = 88
        author     = "Spamtide"
        reference  = "http://www.theregister.com/2009/09/25/dodgy_pharma_spam_economics"
    strings:
        $a = /stimul-?cash/i fullword
    condition:
        has_link and any of them
}

rule named_rxcash_biz
{
    meta:
        kind       = "programme"
        name       = "Rxcash.biz"
        confidence = 88
        author     = "Spamtide"
        reference  = "http://www.theregister.com/2009/09/25/dodgy_pharma_spam_economics"
    strings:
        $a = /rxcash(\.biz)?/i fullword
    condition:
        has_link and any of them
}
