# Secrets: which there are, and that their values go into neither plan nor state. Passwords are drawn by AWS even for a plan,
# and what is drawn cannot be mocked: AWS is the emulator here.
provider "aws" {
  region = "eu-central-1"
}

variables {
  name = "shop"
}

run "what_is_always_there" {
  command = plan
  assert {
    condition     = toset(keys(aws_secretsmanager_secret.this)) == toset(["MIAOSHA__TOKEN_KEYS", "ADMISSION_KEYS", "ACCESS_PUBLIC_KEYS", "MIAOSHA__RECEIPT_KEYS", "MIAOSHA__MAIL__SMTP_URL", "ORIGIN_SECRETS"])
    error_message = "six secrets without Stripe"
  }
  assert {
    condition     = !contains(keys(aws_secretsmanager_secret_version.made), "ACCESS_PUBLIC_KEYS")
    error_message = "what is worked out of another is its owner's to fill"
  }
  assert {
    condition     = alltrue([for version in aws_secretsmanager_secret_version.made : version.secret_string == null && version.secret_string_wo_version == 1])
    error_message = "values are only written"
  }
  assert {
    condition     = aws_kms_key.this.enable_key_rotation
    error_message = "the key changes by itself"
  }
}

run "places_for_stripe" {
  command = plan
  variables {
    stripe = true
  }
  assert {
    condition     = length(aws_secretsmanager_secret.this) == 8 && length(aws_secretsmanager_secret_version.made) == 5
    error_message = "two more places, which only their owner fills"
  }
}

run "a_bad_kid_is_refused" {
  command = plan
  variables {
    kid = "first-key"
  }
  expect_failures = [var.kid]
}

run "a_recovery_of_three_days_is_refused" {
  command = plan
  variables {
    secret_recovery_days = 3
  }
  expect_failures = [var.secret_recovery_days]
}
