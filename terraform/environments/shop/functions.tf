# The two functions. The mailer sends letters; the warmer makes the fleet ready. What is secret for the mailer is in its
# environment, since it reads nothing else: encrypted there, and in the state.
data "aws_secretsmanager_secret_version" "mailer" {
  for_each = {
    MIAOSHA__MYSQL__URL     = module.data.mailer_url_secret_id
    MIAOSHA__MAIL__SMTP_URL = module.vault.smtp_secret_id
  }
  secret_id = each.value
}

module "mailer" {
  source       = "../../modules/lambda"
  name         = "${var.name}-mailer"
  description  = "Sends the letters of a queue"
  package      = var.packages["mailer"]
  architecture = var.architecture
  memory_mb    = 256
  timeout_s    = 120
  kms_key_arn  = module.vault.kms_key_arn
  log_days     = var.log_days
  environment = merge(
    { for name, secret in data.aws_secretsmanager_secret_version.mailer : name => secret.secret_string },
    {
      MIAOSHA__MYSQL__POOL_MAX          = "4"
      MIAOSHA__MAIL__FROM_NAME          = var.mail.from_name
      MIAOSHA__MAIL__FROM_ADDRESS       = var.mail.from_address
      MIAOSHA__MAIL__DOMAIN             = var.domain
      MIAOSHA__MAIL__UTC_OFFSET_MINUTES = tostring(var.mail.utc_offset_minutes)
      MIAOSHA__ARCHIVE__BUCKET          = module.data.receipts.name
      # The package has it beside the binary.
      MIAOSHA__TLS__REQUIRED = "true"
      MIAOSHA__TLS__CA_FILE  = "/var/task/ca.pem"
    },
  )
  network = {
    vpc_id     = module.network.vpc_id
    subnet_ids = module.network.service_subnet_ids
    reaches    = { mysql = local.stores["mysql"] }
    outside    = [443, var.mail.smtp_port]
  }
  queue = {
    arn          = module.data.letters.arn
    visibility_s = module.data.letters.visibility_s
  }
  grants = {
    Receipts     = { actions = ["s3:GetObject"], resources = ["${module.data.receipts.arn}/*"] }
    ReceiptsList = { actions = ["s3:ListBucket"], resources = [module.data.receipts.arn] }
  }
}

data "aws_caller_identity" "us" {}
data "aws_partition" "here" {}

locals {
  here      = "${var.region}:${data.aws_caller_identity.us.account_id}"
  partition = data.aws_partition.here.partition
  groups    = "arn:${local.partition}:autoscaling:${local.here}:autoScalingGroup:*:autoScalingGroupName/${var.name}-*"
  instances = "arn:${local.partition}:ec2:${local.here}:instance/*"
  general   = { test = "StringEquals", variable = "aws:ResourceTag/miaosha:general", values = ["true"] }
  own_tags  = { test = "ForAllValues:StringLike", variable = "aws:TagKeys", values = ["miaosha:warm:*"] }
}

module "warmer" {
  source          = "../../modules/lambda"
  name            = "${var.name}-warmer"
  description     = "Makes the fleet ready for an event, and cools it afterwards"
  package         = var.packages["warmer"]
  architecture    = var.architecture
  memory_mb       = 256
  timeout_s       = 900
  concurrency_max = 1
  asynchronous    = { retries_max = 2, age_s_max = 3600 }
  kms_key_arn     = module.vault.kms_key_arn
  log_days        = var.log_days
  environment     = { RUST_LOG = "info" }
  grants = {
    # They know no resources.
    Look   = { actions = ["autoscaling:DescribeAutoScalingGroups", "ec2:DescribeInstances", "elasticloadbalancing:DescribeTargetHealth"], resources = ["*"] }
    Groups = { actions = ["autoscaling:UpdateAutoScalingGroup"], resources = [local.groups] }
    GroupTags = {
      actions    = ["autoscaling:CreateOrUpdateTags", "autoscaling:DeleteTags"]
      resources  = [local.groups]
      conditions = [local.own_tags]
    }
    Instances = {
      actions    = ["ec2:StartInstances", "ec2:StopInstances"]
      resources  = [local.instances]
      conditions = [local.general]
    }
    InstanceTags = {
      actions    = ["ec2:CreateTags", "ec2:DeleteTags"]
      resources  = [local.instances]
      conditions = [local.general, local.own_tags]
    }
    Function = {
      actions   = ["lambda:GetFunctionConfiguration", "lambda:ListTags"]
      resources = [module.mailer.arn]
    }
    FunctionTags = {
      actions    = ["lambda:TagResource", "lambda:UntagResource"]
      resources  = [module.mailer.arn]
      conditions = [local.own_tags]
    }
    Ready = {
      actions   = ["lambda:GetProvisionedConcurrencyConfig", "lambda:PutProvisionedConcurrencyConfig", "lambda:DeleteProvisionedConcurrencyConfig"]
      resources = [module.mailer.arn, module.mailer.live_arn]
    }
  }
}
