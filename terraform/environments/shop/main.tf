# The whole shop: network, stores, front, fleet, functions, events, observability.
module "vault" {
  source               = "../../modules/vault"
  name                 = var.name
  stripe               = var.stripe
  secret_recovery_days = var.protect ? 30 : 0
}

module "network" {
  source      = "../../modules/network"
  name        = var.name
  cidr        = var.cidr
  zones       = coalesce(var.zones, [for letter in ["a", "b", "c"] : "${var.region}${letter}"])
  nat         = var.nat
  kms_key_arn = module.vault.kms_key_arn
  log_days    = var.log_days
}

module "data" {
  source               = "../../modules/data"
  name                 = var.name
  vpc_id               = module.network.vpc_id
  subnet_ids           = module.network.data_subnet_ids
  kms_key_arn          = module.vault.kms_key_arn
  protect              = var.protect
  secret_recovery_days = var.protect ? 30 : 0
  mysql                = merge(local.mysql, { for key, value in var.mysql : key => value if value != null })
  replica              = var.replica == null ? null : { instance_class = coalesce(var.replica.instance_class, local.sized.replica) }
  redis                = var.redis == null ? null : merge(local.redis, { for key, value in var.redis : key => value if value != null })
  broker               = merge(local.sized.broker, { for key, value in var.broker : key => value if value != null })
  receipts_bucket      = var.buckets.receipts
  emulated             = var.emulated
}

module "edge" {
  source              = "../../modules/edge"
  name                = var.name
  vpc_id              = module.network.vpc_id
  subnet_ids          = module.network.public_subnet_ids
  domain              = var.domain
  zone_id             = var.zone_id
  certificate_arn     = var.certificate_arn
  cdn                 = var.cdn
  cdn_certificate_arn = var.cdn_certificate_arn
  static_bucket       = var.buckets.static
  kms_key_arn         = module.vault.kms_key_arn
  protect             = var.protect
  access_logs_bucket  = var.access_logs_bucket
  per_minute_max      = var.per_minute_max
  origin_secrets      = local.origin_secrets
  box_office_port     = var.box_office ? local.box_office_port : null
  providers = {
    aws           = aws
    aws.us_east_1 = aws.us_east_1
  }
}

# CloudFront and the balancer take it in clear, and so does the state.
data "aws_secretsmanager_secret_version" "origin" {
  count     = var.cdn ? 1 : 0
  secret_id = module.vault.origin_secret_id
}

data "aws_ssm_parameter" "ami" {
  count = var.ami_id == null ? 1 : 0
  name  = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-${var.architecture}"
}

locals {
  origin_secrets = flatten([for version in data.aws_secretsmanager_secret_version.origin : split(",", trimspace(version.secret_string))])

  ami_id = coalesce(var.ami_id, try(nonsensitive(data.aws_ssm_parameter.ami[0].value), null))
}

module "service" {
  source         = "../../modules/service"
  for_each       = local.services
  name           = "${var.name}-${each.key}"
  vpc_id         = module.network.vpc_id
  subnet_ids     = module.network.service_subnet_ids
  image          = var.images[each.value.binary]
  repository_arn = lookup(var.repositories, each.value.binary, null)
  architecture   = var.architecture
  instance_type  = local.plan[each.key].instance_type
  ami_id         = local.ami_id
  capacity       = local.plan[each.key].capacity
  schedules      = merge(local.recurring[each.key], lookup(local.scheduled, each.key, {}))
  environment    = merge(local.common, each.value.environment)
  secrets        = each.value.secrets
  kms_key_arn    = module.vault.kms_key_arn
  grants         = each.value.grants
  inner_port     = each.value.inner_port
  drain_ms_max   = tonumber(local.drain_ms) + tonumber(local.unready_ms)
  front          = each.value.front
  box_office     = each.key == "gateway" ? local.box_office : null
  own_header     = each.value.front == null ? "" : module.edge.own_header
  own_values     = each.value.front == null ? [] : local.origin_secrets
  reaches        = each.value.reaches
  watchers       = { operator = module.operator.security_group_id }
  metrics        = each.value.metrics
  log_days       = var.log_days
}

module "operator" {
  source         = "../../modules/operator"
  name           = "${var.name}-operator"
  vpc_id         = module.network.vpc_id
  subnet_id      = module.network.service_subnet_ids[0]
  ami_id         = local.ami_id
  instance_type  = var.architecture == "arm64" ? "t4g.large" : "t3a.large"
  image          = var.images.miaosha
  repository_arn = lookup(var.repositories, "miaosha", null)
  kms_key_arn    = module.vault.kms_key_arn
  reaches        = local.stores
  environment    = merge(local.common, { MIAOSHA__PAYMENTS__SANDBOX = tostring(!var.stripe) })
  secrets = merge(
    { MASTER__MIAOSHA__MYSQL__URL = module.data.url_secret_arns.mysql_master },
    { for name in ["MIAOSHA__MYSQL__URL", "MIAOSHA__RABBIT__URL", "MIAOSHA__REDIS__URL", "MIAOSHA__RECEIPT_KEYS", "MIAOSHA__STRIPE__SECRET_KEY"] : name => local.secrets[name] if contains(keys(local.secrets), name) },
  )
}
