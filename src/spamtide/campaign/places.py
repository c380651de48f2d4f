"""Domains under which anybody may have a page: that two messages point there says nothing."""

from __future__ import annotations

_PLACES = (
    "google.com googleusercontent.com goo.gl blogspot.com youtube.com youtu.be gstatic.com googleapis.com "
    "facebook.com fbcdn.net instagram.com twitter.com t.co x.com linkedin.com lnkd.in pinterest.com "
    "microsoft.com office.com live.com outlook.com hotmail.com msn.com windows.net sharepoint.com "
    "apple.com icloud.com amazon.com amazonaws.com cloudfront.net yahoo.com yimg.com aol.com geocities.com "
    "bit.ly tinyurl.com ow.ly is.gd j.mp rb.gy cutt.ly shorturl.at rebrand.ly t.ly t.me telegram.me "
    "whatsapp.com wa.me dropbox.com box.com wetransfer.com mediafire.com github.com github.io "
    "githubusercontent.com wordpress.com wixsite.com weebly.com webflow.io netlify.app vercel.app "
    "herokuapp.com firebaseapp.com web.app pages.dev workers.dev r2.dev glitch.me repl.co notion.site "
    "typeform.com jotform.com surveymonkey.com wikipedia.org w3.org archive.org imgur.com flickr.com "
    "photobucket.com imageshack.us tumblr.com sendgrid.net mailchimp.com list-manage.com "
    "constantcontact.com mailgun.org sparkpostmail.com hubspot.com paypal.com ebay.com adobe.com "
    "proofpoint.com urldefense.com urldefense.us cudasvc.com mimecast.com mimecastprotect.com sophos.com "
    "fireeye.com trellix.com trendmicro.com checkpoint.com avanan.click ppe-hosted.com safelinks.com "
    "cloudflare.com akamai.net example.com example.org example.net "
)
SHARED_PLACES = frozenset(_PLACES.split())
