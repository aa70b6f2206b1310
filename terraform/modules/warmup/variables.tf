variable "name" {
  description = "Goes before the name of everything."
  type        = string
}

variable "warmer" {
  description = "The function that warms and cools: what callers use, its name and its log."
  type        = object({ live_arn = string, name = string, log_group_name = string })
}

variable "kms_key_arn" {
  description = "Key that encrypts the schedules and what could not be delivered."
  type        = string
}

variable "targets" {
  description = "What a plan may name: groups by service, target groups by service, and functions as name and qualifier."
  type = object({
    groups        = map(string)
    target_groups = map(string)
    functions     = map(object({ name = string, qualifier = string }))
  })
}

variable "events" {
  description = "Plans by event: from when to when (RFC 3339, UTC), instances by service, instances of functions that are kept ready, and whether general instances are started."
  type = map(object({
    warm_at    = string
    cool_at    = string
    capacities = map(number)
    functions  = optional(map(number), {})
    general    = optional(bool, true)
    wait_s_max = optional(number, 600)
  }))
  default = {}
  validation {
    condition     = alltrue([for event in keys(var.events) : can(regex("^[a-z0-9][a-z0-9-]{0,39}$", event)) && event != "nightly"])
    error_message = "events: a name has one to forty lower case letters, digits and hyphens; `nightly` is taken."
  }
  validation {
    condition     = alltrue(flatten([for event in values(var.events) : [for at in [event.warm_at, event.cool_at] : can(regex("^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ$", at)) && can(timeadd(at, "0s"))]]))
    error_message = "events: warm_at and cool_at are times in UTC, such as 2026-12-01T09:00:00Z."
  }
  validation {
    condition     = alltrue([for event in values(var.events) : try(timecmp(timeadd(event.warm_at, "15m"), event.cool_at) <= 0, true)])
    error_message = "events: cool_at is at least fifteen minutes after warm_at."
  }
  validation {
    # The warmer's own limit: warm_ms_max.
    condition     = alltrue([for event in values(var.events) : try(timecmp(event.cool_at, timeadd(event.warm_at, "168h")) <= 0, true)])
    error_message = "events: an event is warm for seven days at most."
  }
  validation {
    condition     = alltrue(flatten([for event in values(var.events) : [for capacity in values(event.capacities) : capacity >= 1 && capacity <= 1000 && floor(capacity) == capacity]]))
    error_message = "events: a capacity is a whole number of instances, 1 to 1000."
  }
  validation {
    condition     = alltrue(flatten([for event in values(var.events) : [for count in values(event.functions) : count >= 1 && count <= 1000]]))
    error_message = "events: 1 to 1000 instances of a function are kept ready; leave it out for none."
  }
  validation {
    condition     = alltrue([for event in values(var.events) : event.wait_s_max >= 0 && event.wait_s_max <= 840])
    error_message = "events.wait_s_max: 0 to 840; the function has 900 s."
  }
  validation {
    condition     = length(var.events) <= 20
    error_message = "events: twenty at most; those that are over may go."
  }
  validation {
    condition = alltrue(flatten([for event in values(var.events) : concat(
      [for service in keys(event.capacities) : contains(keys(var.targets.groups), service)],
      [for function in keys(event.functions) : contains(keys(var.targets.functions), function)],
    )]))
    error_message = "events: a plan names a service or a function that there is not."
  }
}

variable "alarm_topic_arns" {
  description = "Who is told when a warm-up failed."
  type        = list(string)
  default     = []
}
