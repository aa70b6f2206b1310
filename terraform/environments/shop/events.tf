module "warmup" {
  source           = "../../modules/warmup"
  name             = var.name
  warmer           = { live_arn = module.warmer.live_arn, name = module.warmer.name, log_group_name = module.warmer.log_group_name }
  kms_key_arn      = module.vault.kms_key_arn
  alarm_topic_arns = [module.watch.topic_arn]
  events           = { for name, event in var.events : name => { for key, value in event : key => value if key != "scheduled" } }
  targets = {
    # Those that no event raises by scheduled actions.
    groups        = { for service, group in module.service : service => group.group_name if !contains(keys(local.scheduled), service) }
    target_groups = { for service, group in module.service : service => group.target_group_arn if local.services[service].front != null }
    functions     = { mailer = { name = module.mailer.name, qualifier = "live" } }
  }
}

# Scheduled actions, for services that plans name under `scheduled`. At each moment at which something begins or ends, the
# group gets what the events that are on at that moment want, so that one that ends takes nothing from one that goes on.
locals {
  raised = toset(flatten([for event in values(var.events) : keys(event.scheduled)]))

  moments = {
    for service in local.raised : service => {
      for moment in flatten([
        for name, event in var.events : [
          for action, at in { warm = event.warm_at, cool = event.cool_at } : { key = "${name}-${action}", at = at }
        ] if contains(keys(event.scheduled), service)
      ]) : moment.key => moment.at if timecmp(moment.at, plantimestamp()) > 0
    }
  }

  scheduled = {
    for service, moments in local.moments : service => {
      for key, at in moments : key => {
        at         = at
        recurrence = null
        min = max(local.plan[service].capacity.min, [
          for event in values(var.events) : event.scheduled[service]
          if contains(keys(event.scheduled), service) && timecmp(event.warm_at, at) <= 0 && timecmp(at, event.cool_at) < 0
        ]...)
        max = max(local.plan[service].capacity.max, [
          for event in values(var.events) : event.scheduled[service] if contains(keys(event.scheduled), service)
        ]...)
      }
    }
  }

  recurring = {
    for service in keys(local.plan) : service => {
      for key, action in try(var.fleet[service].recurring, {}) : key => merge(action, { at = null })
    }
  }
}
