"""Error codes of the WhatsApp Cloud API.

Source: developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes.
"""

from chat4all_channels.meta.graph_error import ErrorTable

_HOUR = 3_600.0
_DAY = 24 * _HOUR
_TEMPLATE = "Correct the template, or its parameters, in the WhatsApp Manager."
_MEDIA = "Send the file in a format and size that WhatsApp takes."

WHATSAPP_ERRORS = ErrorTable(
    retry_account={4: 0.0, 80007: 0.0, 130429: 0.0, 131057: 0.0, 133016: 0.0, 131048: _HOUR},
    trouble=frozenset({1, 2, 131000, 131016}),
    retry_recipient={131056: 0.0, 131049: _DAY, 130472: _DAY},
    account={
        0: "Give the account a valid access token.",
        3: "Give the access token the permission whatsapp_business_messaging.",
        10: "Give the access token the permission whatsapp_business_messaging.",
        33: "Check the phone number id of the account.",
        190: "The access token has expired or was revoked: give the account a new one.",
        368: "Meta has restricted the account for a breach of policy: see the account's quality page.",
        131005: "Give the access token access to this phone number.",
        131031: "Meta has locked the account: see the Business Manager.",
        131042: "Settle the payment method of the business account.",
        131045: "Register the phone number anew.",
        133010: "Register the phone number for the Cloud API.",
    },
    window_closed=frozenset({131047}),
    remedies={
        131047: "The person has not written for 24 hours: configure a template, or wait until they write.",
        100: "A parameter is not accepted: see the reason.",
        130497: "The business may not write to people in that country.",
        131008: "A required parameter is missing: see the reason.",
        131009: "A parameter has a value that is not accepted: see the reason.",
        131026: "The number is not on WhatsApp, or its owner has not accepted the present terms.",
        131030: "Add the number to the recipients that a test number may write to.",
        131050: "The person has opted out of messages of this kind.",
        131051: "WhatsApp does not know this type of message.",
        131052: _MEDIA,
        131053: _MEDIA,
        **dict.fromkeys((*range(132000, 132017), 132068, 132069), _TEMPLATE),
    },
    subcodes={},
)
