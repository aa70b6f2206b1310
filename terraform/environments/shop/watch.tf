module "watch" {
  source              = "../../modules/watch"
  name                = var.name
  kms_key_arn         = module.vault.kms_key_arn
  emails              = var.alarm_emails
  balancer_arn_suffix = module.edge.balancer_arn_suffix
  target_groups = merge(
    { for service, group in module.service : service => group.target_group_arn_suffix if local.services[service].front != null },
    var.box_office ? { box-office = module.service["gateway"].box_office_target_group_arn_suffix } : {},
  )
  payments_service = "${var.name}-payment-consumer"
  relay_service    = "${var.name}-payment-consumer"
  services         = [for service in keys(local.plan) : "${var.name}-${service}"]
  stores           = module.data.names
  redis_shards     = try(coalesce(var.redis.shards, 3), 3)
  letters          = { name = module.data.letters.name, dead_name = module.data.dead_letters_name }
  partitions       = var.partitions
  thresholds       = var.thresholds
}
