# What is counted, by whom, and up to where; planned without AWS. The provider's description of a web ACL is so large that a plan
# takes seconds: what is asked of one plan is in one run.
mock_provider "aws" {}

variables {
  name  = "shop"
  scope = "CLOUDFRONT"
}

run "what_is_counted" {
  command = plan
  assert {
    condition = { for rule in aws_wafv2_web_acl.this.rule : rule.name => one(one(rule.statement).rate_based_statement).limit if rule.name != "known-bad-inputs" } == {
      attempts = 480, entry = 120, leaving = 30, admission = 480, checkout = 240, papers = 240, sockets = 1200, webhooks = 30000, all = 3000
    }
    error_message = "eight attempts a second, passwords stricter, and the provider is not held up"
  }
  assert {
    condition     = alltrue([for rule in aws_wafv2_web_acl.this.rule : one(one(rule.statement).rate_based_statement).evaluation_window_sec == 60 if rule.name != "known-bad-inputs"])
    error_message = "in a minute"
  }
  assert {
    condition = alltrue([for rule in aws_wafv2_web_acl.this.rule :
      one(one(one(rule.action).block).custom_response).response_code == 429 && one(one(one(one(rule.action).block).custom_response).response_header).name == "Retry-After" if rule.name != "known-bad-inputs"
    ])
    error_message = "who is too fast is told to come later"
  }
  # Each route that costs something, and the rule that counts it: a rule that matches nothing limits nobody.
  assert {
    condition = {
      for path in [
        "/v1/sales/7/attempts", "/v1/users", "/v1/sessions", "/v1/codes", "/v1/codes/proof", "/v1/me/password", "/v1/me/email",
        "/v1/me/second-factor", "/v1/me/second-factor/codes",
        "/v1/sales/7/admission", "/v1/checkouts", "/v1/orders/abcd-efgh-ijkl/receipt.pdf", "/v1/orders/abcd-efgh-ijkl/tickets",
        "/v1/me/export", "/v1/openapi.json", "/ws", "/v1/webhooks/stripe", "/v1/sessions/",
        ] : path => join(" ", [
          for rule in aws_wafv2_web_acl.this.rule : rule.name
          if can(regex(one(one(one(one(rule.statement).rate_based_statement).scope_down_statement).regex_match_statement).regex_string, path))
      ])
      } == {
      "/v1/sales/7/attempts"                  = "attempts"
      "/v1/users"                             = "entry"
      "/v1/sessions"                          = "entry"
      "/v1/codes"                             = "entry"
      "/v1/codes/proof"                       = "entry"
      "/v1/me/password"                       = "entry"
      "/v1/me/email"                          = "entry"
      "/v1/me/second-factor"                  = "entry"
      "/v1/me/second-factor/codes"            = "entry"
      "/v1/sales/7/admission"                 = "admission"
      "/v1/checkouts"                         = "checkout"
      "/v1/orders/abcd-efgh-ijkl/receipt.pdf" = "papers"
      "/v1/orders/abcd-efgh-ijkl/tickets"     = "papers"
      "/v1/me/export"                         = "papers"
      "/v1/openapi.json"                      = "papers"
      "/ws"                                   = "sockets"
      "/v1/webhooks/stripe"                   = "webhooks"
      "/v1/sessions/"                         = "entry"
    }
    error_message = "a costly route has a rule of its own"
  }
  assert {
    condition = !anytrue(flatten([
      for path in ["/", "/v1/sales", "/v1/me", "/v1/sales/7", "/v1/sales/7/8/attempts", "/v1/sales//attempts", "/v1/orders/a/receiptxpdf", "/v1/userss", "/v2/v1/users"] : [
        for rule in aws_wafv2_web_acl.this.rule :
        can(regex(one(one(one(one(rule.statement).rate_based_statement).scope_down_statement).regex_match_statement).regex_string, path))
      ]
    ]))
    error_message = "and no other route is taken for it"
  }
  assert {
    condition = [
      for statement in one(one([for rule in aws_wafv2_web_acl.this.rule : one(one(one(rule.statement).rate_based_statement).scope_down_statement).and_statement if rule.name == "leaving"])).statement :
      try(one(statement.byte_match_statement).search_string, one(statement.regex_match_statement).regex_string)
    ] == ["DELETE", "^(/v1/me)/?$"]
    error_message = "DELETE of /v1/me hashes a password"
  }
  assert {
    condition = alltrue([
      for statement in one(one([for rule in aws_wafv2_web_acl.this.rule : one(one(one(rule.statement).rate_based_statement).scope_down_statement).and_statement if rule.name == "leaving"])).statement :
      length(statement.byte_match_statement) == 0 || try(one(one(statement.byte_match_statement).field_to_match).method, []) != []
    ])
    error_message = "the word is looked for in the method"
  }
  assert {
    condition     = one(one(one(one([for rule in aws_wafv2_web_acl.this.rule : one(one(one(rule.statement).rate_based_statement).scope_down_statement).not_statement if rule.name == "all"])).statement).regex_match_statement).regex_string == "^(/v1/webhooks/stripe)/?$"
    error_message = "a rush has many payments, and few addresses tell of them"
  }
  # `/v1/%73essions` and `/v1//sessions` are compared as a service reads them.
  assert {
    condition = alltrue(flatten([
      for rule in aws_wafv2_web_acl.this.rule : [
        for match in flatten([
          one(one(one(rule.statement).rate_based_statement).scope_down_statement).regex_match_statement,
          flatten([for one_of in one(one(one(rule.statement).rate_based_statement).scope_down_statement).not_statement : one(one_of.statement).regex_match_statement]),
          flatten([for both in one(one(one(rule.statement).rate_based_statement).scope_down_statement).and_statement : [for statement in both.statement : statement.regex_match_statement]]),
        ]) : { for step in match.text_transformation : step.type => step.priority } == { URL_DECODE = 0, NORMALIZE_PATH = 1, LOWERCASE = 2 } && length(match.regex_string) <= 200
      ] if rule.name != "known-bad-inputs"
    ]))
    error_message = "decoded, then normal, then in small letters; and short enough for the firewall"
  }
  assert {
    condition = alltrue([
      for rule in aws_wafv2_web_acl.this.rule : length(flatten([
        one(one(one(rule.statement).rate_based_statement).scope_down_statement).regex_match_statement,
        one(one(one(rule.statement).rate_based_statement).scope_down_statement).not_statement,
        one(one(one(rule.statement).rate_based_statement).scope_down_statement).and_statement,
      ])) == 1 if rule.name != "known-bad-inputs"
    ])
    error_message = "each rule looks at the path in one way"
  }
  assert {
    condition     = alltrue([for rule in aws_wafv2_web_acl.this.rule : one(one(rule.statement).rate_based_statement).aggregate_key_type == "IP" && length(one(one(rule.statement).rate_based_statement).forwarded_ip_config) == 0 if rule.name != "known-bad-inputs"])
    error_message = "by the address that connects"
  }
  assert {
    condition     = !contains([for rule in aws_wafv2_web_acl.this.rule : rule.name], "strangers")
    error_message = "nobody is a stranger"
  }
}

run "behind_the_distribution_a_network_is_counted" {
  command = plan
  variables {
    scope          = "REGIONAL"
    network_header = "x-miaosha-network"
    own_header     = "x-miaosha-origin"
    own_values     = ["0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"]
  }
  assert {
    condition = nonsensitive(alltrue([
      for rule in aws_wafv2_web_acl.this.rule : one(one(rule.statement).rate_based_statement).aggregate_key_type == "FORWARDED_IP"
      && one(one(one(rule.statement).rate_based_statement).forwarded_ip_config).header_name == "x-miaosha-network"
      && one(one(one(rule.statement).rate_based_statement).forwarded_ip_config).fallback_behavior == "MATCH"
      if !contains(["known-bad-inputs", "strangers"], rule.name)
    ]))
    error_message = "by the network that our distribution wrote"
  }
  assert {
    condition = nonsensitive(one([
      for rule in aws_wafv2_web_acl.this.rule : [
        rule.priority < min([for other in aws_wafv2_web_acl.this.rule : other.priority if other.name != "strangers"]...),
        one(one(one(rule.action).block).custom_response).response_code,
        one(one(one(one(one(one(rule.statement).not_statement).statement).regex_match_statement).field_to_match).single_header).name,
        one(one(one(one(rule.statement).not_statement).statement).regex_match_statement).regex_string,
      ] if rule.name == "strangers"
      ])) == [
      true, 403, "x-miaosha-origin",
      "^(0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef|fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210)$",
    ]
    error_message = "who did not come by it is refused before anything is counted; while the secret changes, both are good"
  }
}

run "other_limits_for_a_place" {
  command = plan
  variables {
    per_minute_max = { all = 6000, papers = 10 }
  }
  assert {
    condition     = { for rule in aws_wafv2_web_acl.this.rule : rule.name => one(one(rule.statement).rate_based_statement).limit if contains(["all", "papers", "entry"], rule.name) } == { all = 6000, papers = 10, entry = 120 }
    error_message = "what is named differs, and the rest does not"
  }
}

run "a_limit_that_the_firewall_cannot_count_is_refused" {
  command = plan
  variables {
    per_minute_max = { entry = 9 }
  }
  expect_failures = [var.per_minute_max]
}

run "a_rule_that_there_is_not_is_refused" {
  command = plan
  variables {
    per_minute_max = { logins = 100 }
  }
  expect_failures = [var.per_minute_max]
}

run "a_network_that_anybody_could_write_is_refused" {
  command = plan
  variables {
    network_header = "x-miaosha-network"
  }
  expect_failures = [var.own_header]
}

run "a_secret_that_means_anything_is_refused" {
  command = plan
  variables {
    own_header = "x-miaosha-origin"
    own_values = [".*"]
  }
  expect_failures = [var.own_values]
}

run "a_header_without_a_secret_is_refused" {
  command = plan
  variables {
    own_header = "x-miaosha-origin"
  }
  expect_failures = [var.own_values]
}
