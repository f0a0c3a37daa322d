"""Error codes of the Instagram API's messaging.

Source: developers.facebook.com/docs/messenger-platform/error-codes.
"""

from chat4all_channels.meta.graph_error import ErrorTable

_TOKEN = "The access token has expired or was revoked: give the account a new one."
_WINDOW = "The person has not written for 24 hours: wait until they write."

INSTAGRAM_ERRORS = ErrorTable(
    retry_account={4: 0.0, 613: 0.0},
    trouble=frozenset({1, 2, 1200}),
    retry_recipient={},
    account={
        3: "Give the access token the permission instagram_business_manage_messages.",
        102: _TOKEN,
        190: _TOKEN,
        368: "Meta has restricted the account for a breach of policy: see the account's status.",
    },
    window_closed=frozenset(),
    window_closed_subcodes=frozenset({2534022}),
    remedies={
        10: "Instagram does not allow this message now: see the reason.",
        100: "A parameter is not accepted: see the reason.",
        551: "The person can't be reached now: they may have blocked or left the account.",
    },
    subcodes={
        2534022: _WINDOW,
        2018001: "There is no such person for this account.",
        2018108: "The person does not accept messages now.",
    },
)
