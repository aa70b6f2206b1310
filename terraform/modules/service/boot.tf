# What an instance does when it starts: it writes three small programs and two files for the metrics agent, and lets systemd
# run them. The secrets are fetched anew at each start of the service, into memory, for root only.
locals {
  settings = concat(["AWS_REGION=${data.aws_region.here.name}"], [for name, value in var.environment : "${name}=${value}"])

  boot = templatefile("${path.module}/boot/cloud-init.yaml", {
    files = {
      for path, file in local.files : path => merge(file, { content = base64gzip(file.content) })
    }
  })

  files = {
    "/etc/miaosha/settings" = { mode = "0644", content = "${join("\n", local.settings)}\n" }
    "/etc/miaosha/secrets" = {
      mode    = "0600"
      content = join("", [for name, arn in var.secrets : "${name} ${arn}\n"])
    }
    "/usr/local/sbin/miaosha-prepare" = {
      mode = "0755"
      content = templatefile("${path.module}/boot/prepare.sh", {
        region        = data.aws_region.here.name
        image         = var.image
        registry      = var.repository_arn == null ? "" : split("/", var.image)[0]
        ca_bundle_url = var.ca_bundle_url
      })
    }
    "/usr/local/sbin/miaosha-watch" = {
      mode    = "0755"
      content = templatefile("${path.module}/boot/watch.sh", { inner_port = var.inner_port, leaves_early = try(var.front.leaves_early, false) })
    }
    "/etc/systemd/system/miaosha.service" = {
      mode = "0644"
      content = templatefile("${path.module}/boot/miaosha.service", {
        image     = var.image
        region    = data.aws_region.here.name
        log_group = aws_cloudwatch_log_group.this.name
        nofile    = var.nofile
        stop_s    = local.stop_s
      })
    }
    "/etc/systemd/system/miaosha-watch.service" = { mode = "0644", content = file("${path.module}/boot/miaosha-watch.service") }
    "/etc/sysctl.d/90-miaosha.conf"             = { mode = "0644", content = file("${path.module}/boot/sysctl.conf") }
    "/etc/miaosha/scrape.yaml" = {
      mode    = "0644"
      content = templatefile("${path.module}/boot/scrape.yaml", { service = var.name, inner_port = var.inner_port })
    }
    "/etc/miaosha/agent.json" = { mode = "0644", content = jsonencode(local.agent) }
  }

  # Names of metrics become one expression for each set of labels; whatever is not named stays on the instance.
  by_labels = { for name, labels in merge({ miaosha_process_ready = [] }, var.metrics) : join(",", labels) => name... }
  agent = {
    agent = { run_as_user = "cwagent", metrics_collection_interval = 60 }
    logs = {
      metrics_collected = {
        prometheus = {
          log_group_name         = aws_cloudwatch_log_group.this.name
          prometheus_config_path = "/etc/miaosha/scrape.yaml"
          emf_processor = {
            metric_namespace = var.metrics_namespace
            metric_declaration = [
              for labels, names in local.by_labels : {
                source_labels    = ["service"]
                label_matcher    = "^${var.name}$"
                dimensions       = [concat(["service"], compact(split(",", labels)))]
                metric_selectors = ["^(${join("|", names)})$"]
              }
            ]
          }
        }
      }
    }
  }
}
