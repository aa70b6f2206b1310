# The key that encrypts what rests, and the secrets that no store gives out. Their first values are made while they are
# written, and from here they go into neither plan nor state. Changing them later is the operator's, by put-secret-value.
# Two are read again by who must hand them to AWS in clear, and are in the state for that: the mail server's URL and
# ORIGIN_SECRETS.
data "aws_caller_identity" "us" {}
data "aws_partition" "here" {}
data "aws_region" "here" {}

resource "aws_kms_key" "this" {
  description             = "${var.name}: stores, queues, secrets, logs"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = data.aws_iam_policy_document.key.json
}

resource "aws_kms_alias" "this" {
  name          = "alias/${var.name}"
  target_key_id = aws_kms_key.this.key_id
}

locals {
  account = data.aws_caller_identity.us.account_id
  # Digits that a seed is written with: everything else is left out of what is drawn.
  not_hex = "ghijklmnopqrstuvwxyz"
  drawn   = ["access", "checkout", "admission", "receipt", "origin"]

  # By the name of the variable that a service reads it from.
  made = {
    MIAOSHA__TOKEN_KEYS = join(",", [
      "access:${var.kid}:${ephemeral.aws_secretsmanager_random_password.seed["access"].random_password}",
      "checkout:${var.kid}:${ephemeral.aws_secretsmanager_random_password.seed["checkout"].random_password}",
      "admission:${var.kid}:${ephemeral.aws_secretsmanager_random_password.seed["admission"].random_password}",
    ])
    # Publishers read MIAOSHA__TOKEN_KEYS from this one: what is taken from them presses buttons and does nothing else.
    ADMISSION_KEYS        = "admission:${var.kid}:${ephemeral.aws_secretsmanager_random_password.seed["admission"].random_password}"
    MIAOSHA__RECEIPT_KEYS = "${var.kid}:${ephemeral.aws_secretsmanager_random_password.seed["receipt"].random_password}"
    # What the distribution says to be known by the balancer: the first is said, both are known.
    ORIGIN_SECRETS = ephemeral.aws_secretsmanager_random_password.seed["origin"].random_password
    # Nobody answers there: letters wait in their queue until an operator has put the true one.
    MIAOSHA__MAIL__SMTP_URL = "smtps://nobody:nothing@mail.invalid:465"
  }
  made_names = toset(["MIAOSHA__TOKEN_KEYS", "ADMISSION_KEYS", "MIAOSHA__RECEIPT_KEYS", "MIAOSHA__MAIL__SMTP_URL", "ORIGIN_SECRETS"])
  # Only their owner knows them, or makes them: the public halves of access keys are worked out by `miaosha public-keys`, and
  # are what socket gateways read MIAOSHA__TOKEN_KEYS from. An instance that needs one waits for it at boot.
  filled_names = setunion(["ACCESS_PUBLIC_KEYS"], var.stripe ? ["MIAOSHA__STRIPE__SECRET_KEY", "MIAOSHA__STRIPE__WEBHOOK_SECRETS"] : [])
}

ephemeral "aws_secretsmanager_random_password" "seed" {
  for_each                   = toset(local.drawn)
  password_length            = 64
  exclude_characters         = local.not_hex
  exclude_uppercase          = true
  exclude_punctuation        = true
  require_each_included_type = false
}

resource "aws_secretsmanager_secret" "this" {
  #checkov:skip=CKV2_AWS_57:Keys change in the steps of the runbook, old beside new; one that changes by itself would log everybody out
  for_each                = setunion(local.made_names, local.filled_names)
  name                    = "${var.name}/${each.key}"
  kms_key_id              = aws_kms_key.this.arn
  recovery_window_in_days = var.secret_recovery_days
}

resource "aws_secretsmanager_secret_version" "made" {
  for_each                 = local.made_names
  secret_id                = aws_secretsmanager_secret.this[each.key].id
  secret_string_wo         = local.made[each.key]
  secret_string_wo_version = 1
}
